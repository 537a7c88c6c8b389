// Secrets in plain text, SOPS files that do not fit .sops.yaml, and 1Password fields that nobody declared.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSopsRules } from "../../tree/sops-rules.ts";
import { at, type RuleInput, type Rule } from "../rule-input.ts";
import { secretFaults } from "../secrets/plain.ts";
import { knownSecrets } from "../secrets/search.ts";
import { ageKeysIn } from "../secrets/sops.ts";
import { secretSources } from "./secret-sources.ts";
import type { Finding } from "../../tree/types.ts";

export const secrets: Rule = {
  name: "secrets",
  about: "no secret stands in plain text, SOPS files fit .sops.yaml, and every 1Password field that is read is declared",
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
    return [...found.flat(), ...secretSources(input)];
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
