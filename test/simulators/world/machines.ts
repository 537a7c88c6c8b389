export interface MachineState { [key: string]: unknown }
