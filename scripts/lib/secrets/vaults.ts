// The two vaults: the cluster's token reads one; the other contains what only the operator needs (the Talos CAs, the age key, the NAS administrator).
import { type Cluster, ITEM_KEYS, type ItemKey, operatorVaultOf } from "../cluster/cluster.ts";
import type { Entry } from "./entry.ts";
import type { Listed } from "./op.ts";

type Home = Pick<Cluster, "onepassword">;
type Item = Pick<Entry, "vault" | "item">;

/** Each vault of the home once, the cluster's first. */
export const vaultsOf = ({ onepassword: { vault, operatorVault } }: Home): string[] => [
  ...new Set([vault, ...(operatorVault === undefined ? [] : [operatorVault])]),
];

/** `op://vault/item`, as the key of a map: two vaults may have items of the same title. */
export const placeOf = ({ vault, item }: Item) => placeIn(vault, item);
/** The same for an item of the operator. */
export const placeOfKey = (cluster: Home, item: ItemKey) => placeIn(operatorVaultOf(cluster), cluster.onepassword.items[item]);
export const placeIn = (vault: string, title: string) => `op://${vault}/${title}`;

/** How a message names an item: with its vault where the home has two. */
export const nameOf = (cluster: Home, { vault, item }: Item) => (vaultsOf(cluster).length > 1 ? `${vault}/${item}` : item);

/** `vault Infrastructure`, `vaults Infrastructure and Operator` */
export const vaultsInWords = (cluster: Home) => {
  const names = vaultsOf(cluster);
  return names.length === 1 ? `vault ${names[0]}` : `vaults ${names.join(" and ")}`;
};

/** Commands that move items to the vault where they belong; a moved item gets a new ID, and references by name stay valid. */
const move = (title: string, from: string, to: string) => `op item move '${title}' --current-vault '${from}' --destination-vault '${to}'`;

/**
 * Items that are only in the other vault. They must not be created again: a second Talos identity does not belong to the cluster.
 * `listed` has every item of both vaults.
 */
export function misplaced(items: readonly Item[], listed: readonly (Listed & { vault: string })[]): string[] {
  const places = new Map(items.map((one) => [placeOf(one), one]));
  return [...places.values()].flatMap(({ item: title, vault: own }) => {
    const where = listed.filter((one) => one.title === title).map(({ vault }) => vault);
    const [other] = where;
    if (other === undefined || where.includes(own)) return [];
    return [`item ${title} is in vault ${other} and belongs to vault ${own}: ${move(title, other, own)}`];
  });
}

/** Items that the cluster's token can read although only the operator needs them, one line per thing to do. */
export function exposed(cluster: Home, listed: readonly (Listed & { vault: string })[]): string[] {
  const { vault, operatorVault, items } = cluster.onepassword;
  const titles = [...new Set(ITEM_KEYS.map((item) => items[item]))].filter((title) =>
    listed.some((one) => one.vault === vault && one.title === title),
  );
  if (titles.length === 0) return [];
  if (operatorVault === undefined || operatorVault === vault)
    return [
      `vault ${vault}, which the cluster's token reads, also holds what only you need: ${titles.join(", ")}. Create a second vault (op vault create Operator), move these items (${move("ITEM", vault, "Operator")}), and name it as onepassword.operatorVault in talos/cluster.yaml`,
    ];
  return titles
    .filter((title) => listed.some((one) => one.vault === operatorVault && one.title === title))
    .map(
      (title) =>
        `vault ${vault}, which the cluster's token reads, still holds ${title}: compare it with ${operatorVault}/${title} and archive it`,
    );
}
