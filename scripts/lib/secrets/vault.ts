// Where secrets come from: references in, values out.
export interface Vault {
  /** Values of these `op://` references, resolved by one `op inject` for all that are not known yet. Every value is hidden from output from then on. */
  resolve(references: Iterable<string>): Promise<Map<string, string>>;
}

export function openVault(_env: NodeJS.ProcessEnv): Vault {
  throw new Error("not written yet");
}
