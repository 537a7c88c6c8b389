// The references that the cluster itself will ask for: every 1Password field that an ExternalSecret of kubernetes/ reads.
import { type Cluster, ITEM_KEYS } from "../cluster/cluster.ts";
import { CATALOGUE } from "./catalogue.ts";

/** `op://` references by the file and line that ask for them; what a PushSecret of the tree writes is left out, nobody has to put it there. */
export async function treeReferences(root: string, cluster: Pick<Cluster, "onepassword">): Promise<Map<string, string>> {
  const { readTree } = await import("../tree/read.ts");
  const { neededSecrets } = await import("../lint/secrets/needed.ts");
  const found = new Map<string, string>();
  for (const { item, field, source, pushed } of neededSecrets(readTree({ root }))) {
    if (pushed || field === undefined) continue; // a whole item has no field to ask for: its fields are the catalogue's
    const name = `op://${cluster.onepassword.vault}/${itemWith(item.split("|"), field, cluster)}/${field}`;
    if (!found.has(name)) found.set(name, `${source.file}:${source.line}`);
  }
  return found;
}

/** Of several items that a template picks from, the one that the catalogue gives the field. */
function itemWith(items: readonly string[], field: string, { onepassword }: Pick<Cluster, "onepassword">): string {
  const known = (name: string) => ITEM_KEYS.find((key) => onepassword.items[key] === name);
  return items.find((name) => CATALOGUE.some((entry) => entry.item === known(name) && entry.field === field)) ?? items[0]!;
}
