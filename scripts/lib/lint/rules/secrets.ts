// Secrets in plain text, SOPS files that do not fit .sops.yaml, and 1Password fields that nobody knows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ITEM_KEYS, ITEM_NAMES, OPERATOR_ITEMS } from "../../cluster/cluster.ts";
import { readSopsRules } from "../../tree/sops-rules.ts";
import { nearest } from "../../text/nearest.ts";
import { CATALOGUE } from "../../secrets/catalogue.ts";
import { at, type RuleInput, type Rule } from "../rule-input.ts";
import { neededSecrets } from "../secrets/needed.ts";
import { secretFaults } from "../secrets/plain.ts";
import { knownSecrets } from "../secrets/search.ts";
import { ageKeysIn } from "../secrets/sops.ts";
import type { Finding } from "../../tree/types.ts";

export const secrets: Rule = {
  name: "secrets",
  about: "no secret stands in plain text, SOPS files fit .sops.yaml, and every 1Password field that is asked for is in the catalogue",
  async check(input) {
    const { files, root } = input.tree;
    const rules = await readSopsRules((files.is(".sops.yaml") === "file" ? files.text(".sops.yaml") : undefined) ?? "");
    const keys = ageKeys(input);
    const paths = files.under(root, (path) => /\.(ya?ml|json)$/.test(path));
    const found = await Promise.all(
      paths.map(async (file) => {
        const text = (files.is(file) === "file" && files.text(file)) || "";
        const [known] = await knownSecrets([Buffer.from(text)]); // by prefix and name; lint:secrets knows more, and reads more files
        return [...known!, ...(await secretFaults(file, text, rules, keys))].map(({ line, object, message, fix }): Finding => ({
          ...at(
            "secrets",
            "error",
            { file, line },
            {
              message,
              why:
                message.includes("readable") || message.startsWith("holds")
                  ? "what was pushed once is known for ever"
                  : "Flux cannot decrypt it, or somebody can who should not",
              fix,
            },
          ),
          ...(object !== undefined && { object }),
        }));
      }),
    );
    return [...found.flat(), ...catalogue(input)];
  },
};

/** The private key, where this machine has it: then MACs are checked as well. */
function ageKeys({ tree }: RuleInput): string[] {
  try {
    return ageKeysIn(readFileSync(process.env.SOPS_AGE_KEY_FILE || join(tree.base, "age.key"), "utf8"));
  } catch {
    return [];
  }
}

/** What the cluster asks of 1Password against the catalogue from which secrets:init and secrets:check work; only for a tree with its own cluster.yaml. */
function catalogue({ tree, cluster }: RuleInput): Finding[] {
  if (!cluster) return [];
  const names = { ...ITEM_NAMES, ...cluster.onepassword.items };
  const fields = new Map(ITEM_KEYS.map((key) => [names[key], CATALOGUE.filter(({ item }) => item === key).map(({ field }) => field)]));
  return neededSecrets(tree).flatMap(({ item, field, by, source, pushed }): Finding[] => {
    if (pushed) return [];
    const say = (message: string, fix: string): Finding[] => [
      {
        ...at("catalogue", "error", source, {
          message,
          why: "nobody is told to put it into the vault: its Secret never exists, and what mounts it never starts",
          fix,
        }),
        object: by,
      },
    ];
    const items = item.split("|");
    const unknown = items.find((one) => !fields.has(one));
    if (unknown !== undefined) {
      const close = nearest(unknown, [...fields.keys()]);
      return say(
        `asks for the item ${unknown}, which the catalogue does not have${close ? `; did you mean ${close}?` : ""}`,
        "add it to scripts/lib/secrets/catalogue.ts, or mend the name",
      );
    }
    const operators = items.find((one) => OPERATOR_ITEMS.some((key) => names[key] === one));
    if (operators !== undefined)
      return [
        {
          ...at("catalogue", "error", source, {
            message: `asks for the item ${operators}, which only the operator needs`,
            why: "the cluster's token does not read the operator's vault, and must not: whoever owns the cluster would own the machines under it",
            fix: "remove it; what bootstrap stores in the cluster is in bootstrap/resources.yaml.njk",
          }),
          object: by,
        },
      ];
    const known = items.flatMap((one) => fields.get(one)!);
    if (field === undefined || known.includes(field)) return [];
    const close = nearest(field, known);
    return say(
      `asks for the field ${field} of ${items.join(" or ")}, which the catalogue does not have${close ? `; did you mean ${close}?` : ""}`,
      "add it to scripts/lib/secrets/catalogue.ts, or mend the name",
    );
  });
}
