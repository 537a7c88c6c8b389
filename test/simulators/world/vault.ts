export interface VaultState { [key: string]: unknown }
