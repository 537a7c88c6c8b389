// Refuses secrets in plain text and SOPS files that do not fit .sops.yaml: in the working tree, or in what is about to be committed.
import { join } from "node:path";
import { Failure } from "../lib/errors.ts";
import { readIfThere } from "../lib/files.ts";
import { flag } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { ask } from "../lib/shell.ts";

/** Where a Secret is nobody's: test data. */
const NOT_OURS = /^(test|node_modules)\//;

export const lintSecrets = procedure({
  name: "lint:secrets",
  about: "refuse secrets in plain text and SOPS files that do not fit .sops.yaml",
  scope: "none",
  options: { staged: flag("look at what is staged for a commit, not at the working tree") },
  cluster: false,
  async run({ staged }, { env, root, ui }) {
    const { secretFaults } = await import("../lib/lint/secrets/plain.ts");
    const { ageKeysIn } = await import("../lib/lint/secrets/sops.ts");
    const { readSopsRules } = await import("../lib/gitops/sops-rules.ts");
    const read = staged ? stagedText : (path: string) => readIfThere(join(root, path));
    const paths = (await listed(staged)).filter((path) => !NOT_OURS.test(path));
    const rules = await readSopsRules((await read(".sops.yaml")) ?? "");
    const keys = ageKeysIn((await readIfThere(env.SOPS_AGE_KEY_FILE!)) ?? "");
    const found = [];
    for (const path of paths) {
      const text = await read(path);
      if (text === undefined || text.includes("\0")) continue;
      for (const fault of await secretFaults(path, text, rules, keys)) found.push({ file: path, ...fault });
    }
    if (found.length > 0 || ui.json)
      ui.result(
        found,
        found
          .map(({ file, line, object, message, fix }) => `${file}:${line}${object ? ` ${object}` : ""}: ${message}\n  fix: ${fix}`)
          .join("\n"),
      );
    ui.say(`${paths.length} files: ${found.length === 0 ? "no secret in plain text" : `${found.length} found`}`);
    if (found.length === 0) return;
    throw new Failure({
      attempted: staged ? "let this commit pass" : "find the tree free of secrets",
      said: `${found.length} ${found.length === 1 ? "secret" : "secrets"} would be readable, or not decryptable`,
      now: staged ? "nothing was committed" : undefined,
      next: "mend what is above; what was pushed already must be made anew",
      shown: true,
    });
  },
});

/** Tracked files and those that the next `git add` would take, or those of the index that differ from the last commit. */
async function listed(staged: boolean): Promise<string[]> {
  const out = staged
    ? await ask`git diff --cached --name-only --no-renames --diff-filter=ACM -z`.text()
    : await ask`git ls-files --cached --others --exclude-standard -z`.text();
  return [...new Set(out.split("\0").filter(Boolean))];
}

/** What the index has at a path: not what is in the folder, which may differ. */
async function stagedText(path: string): Promise<string | undefined> {
  const shown = await ask`git show ${`:${path}`}`.nothrow();
  return shown.exitCode === 0 ? shown.stdout : undefined;
}

await main(import.meta, lintSecrets);
