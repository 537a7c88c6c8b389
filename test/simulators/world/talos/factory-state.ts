// The state of the simulated image factory.

export interface FactoryState {
  /** By id. */
  schematics: Record<string, { canonical: string; extensions: string[] }>;
}
