// Which secrets this home needs: those of the platform, and every 1Password field that an ExternalSecret of kubernetes/ reads.
import type { Cluster } from "../cluster/cluster.ts";
import { UsageError } from "../run/errors.ts";
import { compare, type Comparison } from "./compare.ts";
import type { Declarations, Naming } from "./declared.ts";
import { type Entry, referenceOf } from "./entry.ts";
import { describedBy, type Known } from "./entries.ts";
import { platformEntries } from "./platform.ts";

type Home = Pick<Cluster, "onepassword" | "hypervisor">;

export interface HomeSecrets {
  /** All secrets of the home, in the order in which an operator works through them. */
  entries: Entry[];
  /** Everything that is declared, whether it is needed or not. */
  known: Known;
  /** `op://` references that ExternalSecrets read, with the file and line that ask for them. Without those that a PushSecret of the tree writes. */
  references: Map<string, string>;
  undeclared: Comparison["undeclared"];
  /** Some of kubernetes/ cannot be read, so there may be more. */
  incomplete: boolean;
}

/** Reads kubernetes/ with the names of items that the home gives. Throws a UsageError with every problem of the declarations. */
export async function secretsOfHome(root: string, cluster: Home): Promise<HomeSecrets> {
  const { readTree } = await import("../tree/read.ts");
  const { neededSecrets } = await import("./external-secrets.ts");
  const naming = await namingOf(cluster);
  const tree = readTree({ root, items: naming.items });
  const declared = await declaredIn(root, naming);
  if (declared.problems.length > 0) throw new UsageError(declared.problems.join("\n"));
  const needed = neededSecrets(tree);
  const { used, undeclared } = compare(declared.entries, needed);
  const references = new Map<string, string>();
  for (const { item, field, source, pushed } of needed) {
    if (pushed || field === undefined) continue; // a whole item names no field: its fields are the declared ones
    const items = item.split("|");
    const title = items.find((one) => used.some((entry) => entry.item === one && entry.field === field)) ?? items[0]!;
    const name = referenceOf({ vault: naming.vault, item: title, field });
    if (!references.has(name)) references.set(name, `${source.file}:${source.line}`);
  }
  const platform = platformEntries(cluster);
  return {
    entries: [...platform, ...used],
    known: describedBy([...platform, ...declared.entries]),
    references,
    undeclared,
    incomplete: tree.findings.some(({ level }) => level === "error"),
  };
}

/** What is declared about secrets, whether it is needed or not. A declaration with problems is left out: other procedures report it. */
export const knownSecrets = async (root: string, cluster: Home): Promise<Known> => describedBy(await knownEntries(root, cluster));

/** The same as entries. */
export async function knownEntries(root: string, cluster: Home): Promise<Entry[]> {
  const { entries } = await declaredIn(root, await namingOf(cluster));
  return [...platformEntries(cluster), ...entries];
}

async function declaredIn(root: string, naming: Naming): Promise<Declarations> {
  const { openFiles } = await import("../tree/files.ts");
  const { readDeclarations } = await import("./declared.ts");
  return readDeclarations(
    openFiles(root, () => {}),
    "kubernetes",
    naming,
  );
}

/** Names of items as talos/cluster.yaml gives them, also before `task configure` has copied them into kubernetes/. */
async function namingOf({ onepassword: { vault, renamed = {} } }: Home): Promise<Naming> {
  const { itemSetting } = await import("../tree/settings.ts");
  return { vault, items: new Map(Object.entries(renamed).map(([key, title]) => [itemSetting(key), title])) };
}
