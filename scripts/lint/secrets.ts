// Refuses secrets in plain text and SOPS files that do not fit .sops.yaml: in the working tree, or in what is about to be committed.
import { join } from "node:path";
import { Failure } from "../lib/run/errors.ts";
import { readIfThere } from "../lib/run/files.ts";
import type { ListedFile } from "../lib/lint/secrets/listed.ts";
import { flag } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { ask } from "../lib/run/shell.ts";

/** Documents below it are test data. What is a secret by its shape is found there too: a real key is real in every folder. */
const FIXTURES = /^test\//;
const BATCH = 8 * 1024 * 1024;

export const lintSecrets = procedure({
  name: "lint:secrets",
  about: "find secrets in plain text, and SOPS files that do not match .sops.yaml",
  scope: "none",
  readOnly: true,
  options: { staged: flag("look at what is staged for a commit, not at the working tree") },
  cluster: false,
  async run({ staged }, { env, root, ui }) {
    const { secretFaults } = await import("../lib/lint/secrets/plain.ts");
    const { knownSecrets } = await import("../lib/lint/secrets/search.ts");
    const { loadVendorRules } = await import("../lib/lint/secrets/vendors.ts");
    const { stagedFiles, workingFiles } = await import("../lib/lint/secrets/listed.ts");
    const { textOf } = await import("../lib/lint/secrets/layers.ts");
    const { ageKeysIn } = await import("../lib/lint/secrets/sops.ts");
    const { readSopsRules } = await import("../lib/tree/sops-rules.ts");
    const files = await (staged ? stagedFiles() : workingFiles(root));
    const rules = await readSopsRules((staged ? await stagedText(".sops.yaml") : await readIfThere(join(root, ".sops.yaml"))) ?? "");
    const keys = ageKeysIn((await readIfThere(env.SOPS_AGE_KEY_FILE!)) ?? "");
    const vendors = files.length > 0 ? await loadVendorRules() : undefined;
    const found = [];
    for (const batch of batchesOf(files)) {
      const contents = await Promise.all(batch.map(({ read }) => read!()));
      const known = await knownSecrets(contents, vendors);
      for (const [index, { path }] of batch.entries()) {
        const faults = await secretFaults(path, textOf(contents[index]!), rules, keys, { fixture: FIXTURES.test(path) });
        for (const fault of [...known[index]!, ...faults]) found.push({ file: path, ...fault });
      }
    }
    const unsearched = files.filter(({ read }) => !read).map(({ path }) => path);
    for (const path of unsearched) ui.warn(`${path} is bigger than 32 MB and was not searched: keep such a file out of Git`);
    if (found.length > 0 || ui.json)
      ui.result(
        found,
        found
          .map(({ file, line, object, message, fix }) => `${file}:${line}${object ? ` ${object}` : ""}: ${message}\n  fix: ${fix}`)
          .join("\n"),
      );
    ui.say(`${files.length - unsearched.length} files: ${found.length === 0 ? "no secret in plain text" : `${found.length} found`}`);
    if (found.length === 0) return;
    throw new Failure({
      attempted: staged ? "let this commit pass" : "find the tree free of secrets",
      said: `${found.length} ${found.length === 1 ? "secret is" : "secrets are"} readable, or cannot be decrypted`,
      now: staged ? "nothing was committed" : undefined,
      next: "fix what is listed above; a secret that was pushed already must be replaced by a new one",
    });
  },
});

/** The files that can be searched, some at a time: they need not all be in memory at once. */
function* batchesOf(files: readonly ListedFile[]): Generator<ListedFile[]> {
  const small = files.filter(({ read }) => read);
  let batch: ListedFile[] = [];
  let size = 0;
  for (const file of small) {
    batch.push(file);
    size += file.size;
    if (size < BATCH) continue;
    yield batch;
    [batch, size] = [[], 0];
  }
  yield batch;
}

/** What the index has at a path: not what is in the folder, which may differ. */
async function stagedText(path: string): Promise<string | undefined> {
  const shown = await ask`git show ${`:${path}`}`.nothrow();
  return shown.exitCode === 0 ? shown.stdout : undefined;
}

await main(import.meta, lintSecrets);
