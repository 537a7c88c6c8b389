// The state of the simulated 1Password account.

export interface Field {
  id: string;
  label: string;
  type: string;
  purpose?: string;
  section?: { id: string; label?: string };
  value?: string;
}

export interface Item {
  id: string;
  title: string;
  /** The vault's id. */
  vault: string;
  category: string;
  tags: string[];
  version: number;
  created: number;
  updated: number;
  fields: Field[];
}

export interface VaultState {
  account: { url: string; email: string; user: string; account: string };
  vaults: { id: string; name: string }[];
  items: Item[];
}
