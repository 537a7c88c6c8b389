// Decides from the vault, .sops.yaml and the key file which secrets to create, which a person must fetch, and what is contradictory.
import { type Cluster, reference } from "../cluster/cluster.ts";
import { ruleFaults, rulesWithout } from "../tree/sops.ts";
import type { SopsRule } from "../tree/sops-rules.ts";
import { AGE_KEY } from "./age.ts";
import type { Entry } from "./entry.ts";
import { fieldsCalled, valueOf } from "./items.ts";
import type { Listed, StoredItem } from "./op.ts";
import { exposed, misplaced, nameOf, placeIn, placeOf } from "./vaults.ts";

export interface Facts {
  /** Every item of the home's vaults. */
  listed: (Listed & { vault: string })[];
  /** The home's items, by `op://vault/title`. */
  items: ReadonlyMap<string, StoredItem>;
  /** The rules of .sops.yaml; undefined without the file. */
  rules: SopsRule[] | undefined;
  /** Recipients of the age keys of the vault, and of $SOPS_AGE_KEY_FILE (undefined without the file). */
  keys: { vault: string[]; file: string[] | undefined };
}

/** One item to create, or to complete when it has an ID. */
export interface Write {
  vault: string;
  title: string;
  id?: string;
  entries: Entry[];
}

export interface SecretsPlan {
  writes: Write[];
  /** Whether the key of $SOPS_AGE_KEY_FILE is stored in place of a new one. */
  adoptKeyFile: boolean;
  /** Whether the recipient goes into .sops.yaml. */
  writeRecipient: boolean;
  /** Rules of .sops.yaml for other recipients only. They stay as they are. */
  foreignRules: SopsRule[];
  /** Missing entries that only a person can fetch. */
  fetch: Entry[];
  /** Entries that have a value already. */
  there: Entry[];
  /** Items that the cluster's token can read and should not, one per line. */
  exposed: string[];
  /** One per line. If there are any, nothing may be written. */
  contradictions: string[];
}

export function planSecrets(entries: readonly Entry[], cluster: Pick<Cluster, "onepassword">, facts: Facts): SecretsPlan {
  const stored = (entry: Entry) => facts.items.get(placeOf(entry));
  const [there, missing] = split(entries, (entry) => valueOf(stored(entry), entry.field) !== undefined);
  const made = missing.filter(({ source }) => "init" in source);
  const writes = [...new Set(made.map(placeOf))].map((place): Write => {
    const own = made.filter((entry) => placeOf(entry) === place); // several entries may have the same item
    const [{ vault, item }] = own as [Entry];
    const id = facts.items.get(place)?.id;
    return { vault, title: item, ...(id !== undefined && { id }), entries: own };
  });
  const keyMissing = made.some(({ source }) => "init" in source && source.init === "age-key");
  const adoptKeyFile = keyMissing && (facts.keys.file?.length ?? 0) > 0;
  return {
    writes,
    adoptKeyFile,
    writeRecipient: (facts.rules ?? []).some(({ placeholders }) => placeholders.length > 0),
    foreignRules: rulesWithout(facts.rules ?? [], keyMissing ? (facts.keys.file ?? []) : facts.keys.vault),
    fetch: missing.filter(({ source }) => "person" in source),
    there,
    exposed: exposed(cluster, [...facts.listed, ...writes.map(({ vault, title, id }) => ({ id: id ?? "", vault, title }))]),
    contradictions: [
      ...misplaced(entries, facts.listed),
      ...doubles(entries, cluster, facts),
      ...tornBundle(there, missing, cluster),
      ...strangeKey(cluster, facts, keyMissing),
      ...writes.flatMap(({ title, id, entries: [first] }) =>
        id !== undefined && stored(first!)?.category === "LOGIN" ? [uneditable(title)] : [],
      ),
    ],
  };
}

function split<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

/** Two items or two fields with the same name: a reference cannot distinguish them. */
function doubles(entries: readonly Entry[], cluster: Pick<Cluster, "onepassword">, { listed, items }: Facts): string[] {
  const places = new Map(entries.map((entry) => [placeOf(entry), entry.item]));
  return [
    ...[...places]
      .filter(([place]) => listed.filter(({ vault, title }) => placeIn(vault, title) === place).length > 1)
      .map(([, title]) => `more than one item is called ${title}: archive all but one`),
    ...entries
      .filter((entry) => fieldsCalled(items.get(placeOf(entry)), entry.field).length > 1)
      .map((entry) => `item ${nameOf(cluster, entry)} has more than one field called ${entry.field}: remove all but one`),
  ];
}

/** The Talos secrets are created together; one that is created later does not belong to the cluster. */
function tornBundle(there: Entry[], missing: Entry[], { onepassword }: Pick<Cluster, "onepassword">): string[] {
  const isTalos = ({ source }: Entry) => "init" in source && source.init === "talos-bundle";
  const lost = missing.filter(isTalos);
  if (lost.length === 0 || !there.some(isTalos)) return [];
  const fields = lost.map(({ field }) => field).join(", ");
  return [
    `item ${onepassword.items.talos} has only some of Talos' secrets, not ${fields}: restore it from its history in the 1Password app, or archive it if no cluster was ever made from it`,
  ];
}

function strangeKey(cluster: Pick<Cluster, "onepassword">, { rules, keys }: Facts, keyMissing: boolean): string[] {
  const where = reference(cluster, AGE_KEY.item, AGE_KEY.field);
  if (!keyMissing && keys.vault.length === 0) return [`${where} holds no age identity (a line AGE-SECRET-KEY-1…)`];
  const held = keyMissing ? (keys.file ?? []) : keys.vault;
  return rules === undefined ? [] : ruleFaults(rules, held);
}

/** An item template cannot contain a passkey, so an edit would delete the one in the item. */
const uneditable = (title: string) =>
  `item ${title} is a login, which may hold a passkey that an edit would remove: rename it, or name another item in talos/cluster.yaml`;
