// The commit hook with Git itself: it looks at what is staged, not at what lies in the folder.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repository } from "../unit/lint/tree.ts";

const SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  x: y\n";
const PATH = 'kubernetes/a "b".yaml'; // Git quotes such a name unless it is asked not to

const git = (cwd: string, ...words: string[]) => expect(spawnSync("git", words, { cwd, encoding: "utf8" }).status, words.join(" ")).toBe(0);
/** Runs the hook as Git does, and says how it ended. */
function hook(cwd: string, ...words: string[]) {
  const script = join(process.cwd(), "scripts/lint/secrets.ts");
  const tsx = join(process.cwd(), "node_modules/tsx/dist/loader.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", tsx, script, ...words], { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

it("a staged secret stops the commit, even where the folder has it no longer; without it the commit passes", () => {
  const root = repository({ "versions.env": "", "test/fixture.yaml": SECRET, [PATH]: SECRET });
  git(root, "init", "--quiet");
  git(root, "add", ".");
  writeFileSync(join(root, PATH), "");
  const refused = hook(root, "--staged");
  expect(refused.stdout).toBe(
    `${PATH}:1 Secret a: stringData.x is readable by everybody who reads the repository\n  fix: make it an ExternalSecret, or encrypt the file: sops --encrypt --in-place, with a name that ends in .sops.yaml\n`,
  );
  expect(refused.stderr).toContain("could not let this commit pass");
  expect(refused.stderr).toContain("nothing was committed");
  expect(refused.status).toBe(1);
  git(root, "add", "kubernetes");
  expect(hook(root, "--staged")).toEqual({ status: 0, stdout: "", stderr: "2 files: no secret in plain text\n" });
}, 60_000);
