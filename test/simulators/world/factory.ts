export interface FactoryState { [key: string]: unknown }
