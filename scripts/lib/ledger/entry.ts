// Ledger entries: what a procedure changed, whose home it belongs to, and the facts that undoing it needs.

/** The home of an entry: a cluster by its name, a NAS by a pool and its GUID ("pool flashstor 123"). An entry of another home is never touched. */
export interface Owner {
  cluster?: string;
  nas?: string;
}

/** The facts of each kind. A new kind is one more line here and one more handler in scripts/leftovers.ts. */
export interface KindFacts {
  /** `startAttempted`: from then on its disks may hold data. */
  vm: { node: string; id: number; startAttempted: boolean };
  /** `volsize` in bytes. */
  zvol: { node: string; volsize: number };
  /** `uid` of the object, so that a later one with the same name is not resumed. */
  "suspended Kustomization": { uid: string };
}

export type Kind = keyof KindFacts;

export interface EntryOf<K extends Kind> {
  id: string;
  kind: K;
  /** The name of the thing: "flashstor/VM/k8s_0-boot". */
  name: string;
  owner: Owner;
  procedure: string;
  /** ISO 8601. */
  at: string;
  /** Facts are added as they become known. */
  facts: Partial<KindFacts[K]>;
  /** The procedure ended well and leaves the change in place. Without it, the procedure was interrupted or failed. */
  onPurpose?: boolean;
}

/** An entry. One that a newer version wrote may have a kind that is not listed here. */
export type Entry = { [K in Kind]: EntryOf<K> }[Kind];

/** What a procedure says about a change before it makes it. */
export type NewEntry = { [K in Kind]: Omit<EntryOf<K>, "id" | "at" | "onPurpose"> }[Kind];

/** An entry as a file holds it. Entries that an older version wrote have `home`, a text for both clusters and NAS, and may have no facts. */
export type StoredEntry = Omit<Entry, "owner" | "facts"> & { owner?: Owner; home?: string; facts?: object };

/** The entry of a file, whatever version wrote it. */
export const entryOf = ({ home, owner, facts = {}, ...rest }: StoredEntry): Entry =>
  ({ ...rest, facts, owner: owner ?? (home?.startsWith("pool ") ? { nas: home } : { cluster: home }) }) as Entry;

/** Whether two entries or homes belong together. */
export const isOwner = (one: Owner, other: Owner) => one.cluster === other.cluster && one.nas === other.nas;
