export interface NasState { [key: string]: unknown }
