// lint:secrets as a command, against a real repository: which files it reads.
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { openShell } from "../../../scripts/lib/run/shell.ts";
import { lintSecrets } from "../../../scripts/lint/secrets.ts";
import { record } from "../recorder.ts";
import { repository } from "./tree.ts";

it("reads what the next commit could take: tracked files, and untracked ones that nothing ignores", async () => {
  const secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  x: y\n";
  const root = repository({ ".gitignore": "ignored.yaml\n", "ignored.yaml": secret, "new.yaml": secret, "tracked.yaml": secret });
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "tracked.yaml", ".gitignore"], { cwd: root });
  const lab = await record({ root });
  await openShell({ signal: lab.context.signal, env: { PATH: process.env.PATH }, cwd: root });
  const failure = await lab.run(lintSecrets, { staged: false });
  expect(String(failure)).toContain("2 secrets are readable");
  expect((lab.results[0] as { file: string }[]).map(({ file }) => file).sort()).toEqual(["new.yaml", "tracked.yaml"]);
});
