// The commit hook with Git itself: it looks at what is staged, not at what lies in the folder.
import { spawnSync } from "node:child_process";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
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
  expect(hook(root, "--staged")).toEqual({ status: 0, stdout: "", stderr: "3 files: no secret in plain text\n" });
});

const TOKEN = `ghp_${"0123456789abcdefghij".repeat(2).slice(0, 36)}`;

it("a link that became a file is searched, staged and not; a link itself is not followed", () => {
  const root = repository({ "versions.env": "", "outside.txt": "nothing here\n" });
  symlinkSync("outside.txt", join(root, "link.txt"));
  symlinkSync("/etc", join(root, "folder"));
  git(root, "init", "--quiet");
  git(root, "add", ".");
  git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--no-verify", "-m", "x");
  expect(hook(root)).toMatchObject({ status: 0 });
  rmSync(join(root, "link.txt"));
  writeFileSync(join(root, "link.txt"), `${TOKEN}\n`);
  expect(hook(root)).toMatchObject({ status: 1, stdout: expect.stringContaining("link.txt:1: holds a GitHub token") });
  expect(hook(root, "--staged")).toMatchObject({ status: 0 });
  git(root, "add", ".");
  expect(hook(root, "--staged")).toMatchObject({ status: 1, stdout: expect.stringContaining("link.txt:1: holds a GitHub token") });
});

it("real keys are found in every folder, test data and binary files included", () => {
  const root = repository({
    "versions.env": "",
    "test/fixtures/a.yaml": `${SECRET}# ${TOKEN}\n`,
    "deep/er/kubeconfig": `token: ${TOKEN}\n`,
  });
  writeFileSync(join(root, "utf16.txt"), Buffer.from(`\ufeffline\r\n${TOKEN}\r\n`, "utf16le"));
  writeFileSync(join(root, "binary.bin"), Buffer.concat([Buffer.from([0, 255, 0]), Buffer.from(TOKEN), Buffer.from([0, 254])]));
  git(root, "init", "--quiet");
  git(root, "add", "--force", ".");
  const { stdout } = hook(root, "--staged");
  expect(stdout.split("\n").filter((line) => line.includes("holds"))).toEqual([
    "binary.bin:1: holds a GitHub token",
    "deep/er/kubeconfig:1: holds a GitHub token",
    "test/fixtures/a.yaml:7: holds a GitHub token",
    "utf16.txt:2: holds a GitHub token",
  ]);
});

it("Git ignores the files that hold credentials in every folder, and nothing else", () => {
  const ignored = (path: string) => spawnSync("git", ["check-ignore", "--quiet", "--no-index", path]).status === 0;
  for (const folder of ["", "deep/er/"]) {
    for (const name of [
      "kubeconfig",
      "talosconfig",
      "home.kubeconfig",
      "home.talosconfig",
      "kubeconfig.yaml",
      "talosconfig.bak",
      "age.key",
      "keys.txt",
    ])
      expect(ignored(`${folder}${name}`), name).toBe(true);
    for (const name of ["tls.key", "id_ed25519", "store.p12", "controlplane.yaml", "1password-credentials.json", ".env", "home.env"])
      expect(ignored(`${folder}${name}`), name).toBe(true);
  }
  for (const path of ["talos/worker.yaml", "secrets.yaml", "talos/deep/secrets.yaml"]) expect(ignored(path), path).toBe(true);
  for (const path of [
    "versions.env",
    "scripts/talos/kubeconfig.ts",
    "kubernetes/apps/a/app/worker.yaml",
    "kubernetes/apps/a/app/secret.sops.yaml",
    "docs/kubeconfig.md",
  ])
    expect(ignored(path), path).toBe(false);
});
