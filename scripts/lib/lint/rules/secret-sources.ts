// The 1Password fields that the cluster reads, against what secret-sources.yaml beside the applications declares.
import type { Cluster } from "../../cluster/cluster.ts";
import { compare, type Comparison } from "../../secrets/compare.ts";
import { SECRET_SOURCES } from "../../tree/data-files.ts";
import { type Declared, readDeclarations } from "../../secrets/declared.ts";
import { type NeededSecret, neededSecrets } from "../../secrets/external-secrets.ts";
import { itemSetting } from "../../tree/settings.ts";
import type { Finding } from "../../tree/types.ts";
import { at, type RuleInput } from "../rule-input.ts";

/** What the cluster asks of 1Password against what is declared beside the applications; only for a tree with its own cluster.yaml. */
export function secretSources({ tree, cluster }: RuleInput): Finding[] {
  if (!cluster) return [];
  const { vault, items } = cluster.onepassword;
  const operators = new Set<string>(Object.values(items));
  const settings = new Map(tree.kustomizations.flatMap(({ variables }) => Object.entries(variables ?? {})));
  const { entries, problems } = readDeclarations(tree.files, tree.root, { vault, items: settings });
  const needed = neededSecrets(tree);
  const { unused, undeclared } = compare(entries, needed);
  return [
    ...problems.map(brokenDeclaration),
    ...needed.filter(({ item, pushed }) => !pushed && item.split("|").some((one) => operators.has(one))).map(operatorItem),
    ...undeclared.filter(({ item }) => !item.split("|").some((one) => operators.has(one))).map(undeclaredSecret),
    ...unused.map(unusedDeclaration),
    ...unusedNames(tree, cluster),
  ];
}

function brokenDeclaration(problem: string): Finding {
  const [, file = "", line = "1", message = ""] = /^(.*?):(\d+): ([\s\S]*)$/.exec(problem)!;
  return at(
    "catalogue",
    "error",
    { file, line: Number(line) },
    {
      message,
      why: "secrets:init and secrets:check stop: they do not know who creates the application's secrets",
      fix: "correct the file; docs/secrets.md describes it",
    },
  );
}

const operatorItem = ({ item, by, source }: NeededSecret): Finding => ({
  ...at("catalogue", "error", source, {
    message: `asks for the item ${item}, which only the operator needs`,
    why: "the cluster's token does not read the operator's vault, and must not: anyone who controls the cluster would also control its machines",
    fix: "remove it; what bootstrap stores in the cluster is in bootstrap/resources.yaml.njk",
  }),
  object: by,
});

const undeclaredSecret = ({ item, field, by, source, close }: Comparison["undeclared"][number]): Finding => ({
  ...at("catalogue", "error", source, {
    message: `reads ${field === undefined ? "" : `the field ${field} of `}the item ${item.replaceAll("|", " or ")}, which no ${SECRET_SOURCES} declares${close ? `; did you mean ${close}?` : ""}`,
    why: "nothing says that it must be in the vault: its Secret never exists, and pods that mount it never start",
    fix: `declare it in ${SECRET_SOURCES} beside the application's ks.yaml, or correct the name`,
  }),
  object: by,
});

const unusedDeclaration = ({ file, line, item, field }: Declared): Finding =>
  at(
    "catalogue",
    "note",
    { file, line },
    {
      message: `declares the field ${field} of the item ${item}, which no ExternalSecret reads`,
      why: "secrets:init does not create it, and does not list it",
      fix: "remove it, or correct the name",
    },
  );

/** Names in talos/cluster.yaml that no file of the tree uses: probably mistyped. */
function unusedNames({ files, root }: RuleInput["tree"], { onepassword: { renamed = {} } }: Cluster): Finding[] {
  const names = Object.keys(renamed);
  if (names.length === 0) return [];
  const texts = files.under(root, (path) => /\.ya?ml$/.test(path)).map((path) => files.text(path) ?? "");
  return names
    .filter((key) => !texts.some((text) => text.includes(`\${${itemSetting(key)}`)))
    .map((key) =>
      at(
        "catalogue",
        "error",
        { file: "talos/cluster.yaml", line: 1 },
        {
          message: `onepassword.items.${key}: no file of ${root} uses \${${itemSetting(key)}}`,
          why: "the name has no effect",
          fix: "remove it, or correct the key: ITEM_CERT_MANAGER is certManager",
        },
      ),
    );
}
