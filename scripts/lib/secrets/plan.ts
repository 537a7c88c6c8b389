// From what the vault, .sops.yaml and the key file hold to what has to be made, what a person must fetch, and what contradicts itself.
import { type Cluster, reference } from "../cluster/cluster.ts";
import { ruleFaults, rulesWithout } from "../gitops/sops.ts";
import type { SopsRule } from "../gitops/sops-rules.ts";
import { AGE_KEY } from "./age.ts";
import type { Entry } from "./catalogue.ts";
import { fieldsCalled, valueOf } from "./items.ts";
import type { Listed, StoredItem } from "./op.ts";

export interface Facts {
  /** Everything that the vault lists. */
  listed: Listed[];
  /** The home's items that are there, by title. */
  items: ReadonlyMap<string, StoredItem>;
  /** The rules of .sops.yaml; undefined without the file. */
  rules: SopsRule[] | undefined;
  /** Recipients of the age keys of the vault, and of $SOPS_AGE_KEY_FILE (undefined without the file). */
  keys: { vault: string[]; file: string[] | undefined };
}

/** One item to create, or to complete when it has an ID. */
export interface Write {
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
  /** What only a person can fetch and is not there. */
  fetch: Entry[];
  /** Entries that have a value already. */
  there: Entry[];
  /** A line for each; with any of them nothing may be written. */
  contradictions: string[];
}

export function planSecrets(entries: readonly Entry[], cluster: Pick<Cluster, "onepassword">, facts: Facts): SecretsPlan {
  const titleOf = ({ item }: Entry) => cluster.onepassword.items[item];
  const [there, missing] = split(entries, (entry) => valueOf(facts.items.get(titleOf(entry)), entry.field) !== undefined);
  const made = missing.filter(({ source }) => "init" in source);
  const writes = [...new Set(made.map(titleOf))].map((title): Write => {
    const id = facts.items.get(title)?.id;
    return { title, ...(id !== undefined && { id }), entries: made.filter((entry) => titleOf(entry) === title) };
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
    contradictions: [
      ...doubles(entries, titleOf, facts),
      ...tornBundle(there, missing, cluster),
      ...strangeKey(cluster, facts, keyMissing),
      ...writes.flatMap(({ title, id }) => (id !== undefined && facts.items.get(title)?.category === "LOGIN" ? [uneditable(title)] : [])),
    ],
  };
}

function split<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

/** Two items, or two fields, of one name: a reference cannot tell them apart. */
function doubles(entries: readonly Entry[], titleOf: (entry: Entry) => string, { listed, items }: Facts): string[] {
  const titles = [...new Set(entries.map(titleOf))];
  return [
    ...titles
      .filter((title) => listed.filter((item) => item.title === title).length > 1)
      .map((title) => `more than one item is called ${title}: archive all but one`),
    ...entries
      .filter((entry) => fieldsCalled(items.get(titleOf(entry)), entry.field).length > 1)
      .map((entry) => `item ${titleOf(entry)} has more than one field called ${entry.field}: remove all but one`),
  ];
}

/** Talos' secrets were made together; one that is made later fits no cluster. */
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

/** The template of an edit has no passkey in it, so one that the item holds would be lost. */
const uneditable = (title: string) =>
  `item ${title} is a login, which may hold a passkey that an edit would remove: rename it, or name another item in talos/cluster.yaml`;
