// The 1Password account of the simulated home: vaults, items, fields, and how secret references find them.
import { randomBytes } from "node:crypto";
import type { World } from "../world.ts";
import type { Field, Item, VaultState } from "./vault-state.ts";

/** Something that `op` would say, as data. */
export type Found<T> = { found: T } | { error: string };

/** An account with the vaults of the home, empty, and the private one that everybody has. */
export const freshVault = (names: readonly string[] = ["Infrastructure"]): VaultState => ({
  account: { url: "https://my.1password.com", email: "operator@example.com", user: id().toUpperCase(), account: id().toUpperCase() },
  vaults: [{ id: id(), name: "Private" }, ...names.map((name) => ({ id: id(), name }))],
  items: [],
});

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
/** Ids as 1Password makes them: 26 letters and digits. */
export const id = () => [...randomBytes(26)].map((byte) => LETTERS[byte % 32]).join("");

const same = (wanted: string, ...names: string[]) => names.some((name) => name === wanted || name.toLowerCase() === wanted.toLowerCase());

export function findVault({ vaults }: VaultState, wanted: string): Found<{ id: string; name: string }> {
  const found = vaults.find(({ id, name }) => same(wanted, id, name));
  return found ? { found } : { error: `"${wanted}" isn't a vault in this account. Specify the vault with its ID or name.` };
}

export function findItem(vault: VaultState, wanted: string, inVault?: string): Found<Item> {
  let where: { id: string; name: string } | undefined;
  if (inVault !== undefined) {
    const found = findVault(vault, inVault);
    if ("error" in found) return found;
    where = found.found;
  }
  const items = vault.items.filter((item) => same(wanted, item.id, item.title) && (!where || item.vault === where.id));
  if (items.length > 1)
    return {
      error: `More than one item matches "${wanted}". Try again and specify the item by its ID:\n${items.map((item) => `\t* for the item "${item.title}" in vault ${vault.vaults.find(({ id }) => id === item.vault)?.name}: ${item.id}`).join("\n")}`,
    };
  const [item] = items;
  if (item) return { found: item };
  return {
    error: `"${wanted}" isn't an item${where ? ` in the "${where.name}" vault` : ""}. Specify the item with its UUID, name, or domain.`,
  };
}

/** Whether an item is there and, where a field is named, has a value in it. */
export function hasField(vault: VaultState, inVault: string, wanted: string, field?: string): boolean {
  const item = findItem(vault, wanted, inVault);
  return "found" in item && (field === undefined || item.found.fields.some(({ label, value }) => label === field && value !== undefined));
}

/** The value that `op://vault/item/[section/]field` stands for. */
export function readReference(world: World, reference: string): Found<string> {
  const parts = reference
    .replace(/^op:\/\//, "")
    .replace(/\?.*$/, "")
    .split("/")
    .map(decodeURIComponent);
  const refused = (why: string) => ({ error: `could not read secret '${reference}': ${why}` });
  if (!reference.startsWith("op://") || parts.length < 3 || parts.length > 4 || parts.some((part) => part === ""))
    return refused("invalid secret reference: it has to be of the form op://<vault>/<item>/[section]/<field>");
  const [vault = "", item = "", ...rest] = parts;
  const found = findItem(world.state.vault, item, vault);
  if ("error" in found) return refused(found.error);
  const [section, label = ""] = rest.length === 2 ? rest : [undefined, rest[0]];
  const field = found.found.fields.find(
    (field) =>
      same(label, field.id, field.label) && (section === undefined || same(section, field.section?.id ?? "", field.section?.label ?? "")),
  );
  if (!field || field.value === undefined || isHidden(world, field))
    return refused(`item '${vault}/${item}' does not have a field '${label}'`);
  return { found: field.value };
}

/** The fault `vault-field-missing`: the token of 1Password Connect cannot be found. */
export const isHidden = (world: World, { label }: Field) => label === "OP_CONNECT_TOKEN" && world.has("vault-field-missing");

/** What `op` says before it does anything else, or undefined when it may go on. */
export function accessError(world: World): string | undefined {
  if (world.has("vault-signed-out")) return "You are not currently signed in. Please run `op signin --help` for instructions";
  if (world.has("vault-rate-limited")) {
    return "(429) Too Many Requests: You've reached the maximum number of this type of requests this service account is allowed to make. Please retry in 58 minutes or try other requests.";
  }
  return undefined;
}

/** Public by their nature, whatever type of field they are kept in. */
const PUBLIC = /(_HOST|_USERNAME|_CERTIFICATE|_CRT|_CERT|_ID|_DOMAIN|_EMAIL|_PUBLIC_KEY|_RECIPIENT|\.crt|notesPlain)$/;
const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|CONFIG|kubeconfig/i;

/** Every secret value that the vault hands out; ids, hosts and certificates are none. */
export function secretsOf({ items }: VaultState): { where: string; value: string }[] {
  return items.flatMap(({ title, fields }) =>
    fields
      .filter(
        ({ label, type, value }) =>
          value !== undefined && value.length >= 8 && !PUBLIC.test(label) && (type === "CONCEALED" || SECRET.test(label)),
      )
      .map(({ label, value }) => ({ where: `${title}/${label}`, value: value! })),
  );
}
