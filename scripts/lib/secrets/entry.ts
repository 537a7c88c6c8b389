// One secret of the home: a field of an item of 1Password, and who creates its value.
import type { Hypervisor } from "../cluster/cluster.ts";

/** How secrets:init creates a value. A bundle is created whole or not at all. */
export type Maker = "talos-bundle" | "age-key" | "password";

/** Instructions for fetching a value. */
export interface Fetching {
  link: string;
  steps: string;
  /** The rights that the key or token needs. */
  rights: string;
}

export interface Entry {
  vault: string;
  /** The item's name in the vault. */
  item: string;
  field: string;
  /** Created by secrets:init, fetched by a person, or stored by something else. */
  source: { init: Maker } | { person: Fetching } | { task: string };
  /** What stops working without it. */
  purpose: string;
  /** Whether creating VMs and bootstrapping needs it. */
  now: boolean;
  /** Shown in output and stored as plain text: an address, a name, a certificate. */
  public: boolean;
  /** Only homes on this hypervisor need it. */
  hypervisor?: Hypervisor;
}

/** Fields that have everything but their names in common. */
export type Group = Omit<Entry, "vault" | "item" | "field" | "now" | "public"> & { now?: boolean; secret?: string[]; public?: string[] };

/** The entries of a group: public fields first. */
export const entriesOf = (place: Pick<Entry, "vault" | "item">, { secret = [], public: open = [], now = false, ...rest }: Group): Entry[] =>
  [...open.map((field) => ({ field, public: true })), ...secret.map((field) => ({ field, public: false }))].map((one) => ({
    ...place,
    ...rest,
    now,
    ...one,
  }));

/** `op://vault/item/field` */
export const referenceOf = ({ vault, item, field }: Pick<Entry, "vault" | "item" | "field">) => `op://${vault}/${item}/${field}`;
