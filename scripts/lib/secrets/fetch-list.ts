// The list of what only a person can fetch: one block for each link.
import type { Cluster } from "../cluster/cluster.ts";
import { table } from "../run/ui.ts";
import { nameOf } from "./vaults.ts";
import type { Entry } from "./entry.ts";

/** Link, steps and rights of each place, with the items and fields for its values. Secrets that a bootstrap needs come first. */
export function fetchList(entries: readonly Entry[], { onepassword }: Pick<Cluster, "onepassword">): string {
  const byLink = new Map<string, Entry[]>();
  for (const entry of entries)
    if ("person" in entry.source) byLink.set(entry.source.person.link, [...(byLink.get(entry.source.person.link) ?? []), entry]);
  const blocks = [...byLink].toSorted(([, [a]], [, [b]]) => Number(b!.now) - Number(a!.now));
  return blocks.map(([link, own]) => block(link, own, (entry) => nameOf({ onepassword }, entry))).join("\n\n");
}

function block(link: string, entries: Entry[], titleOf: (entry: Entry) => string): string {
  const [{ source, purpose, now }] = entries as [Entry];
  if (!("person" in source)) return "";
  const rows = table(
    ["item", "field"],
    entries.map((entry) => [titleOf(entry), entry.field]),
  );
  return [
    link,
    `  for     ${purpose}${now ? " (before the bootstrap)" : ""}`,
    `  how     ${source.person.steps}`,
    `  rights  ${source.person.rights}`,
    ...rows.split("\n").map((line) => `  ${line}`),
  ].join("\n");
}
