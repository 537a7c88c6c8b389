// The state folder of a real run: a file in its place, a full disk, a read-only disk. The disks need a mount namespace.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "state-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCRIPT = [process.execPath, "--import", "./scripts/start.mjs", "scripts/menu.ts"];
const quoted = SCRIPT.map((word) => `'${word}'`).join(" ");
const run = (file: string, words: string[]) => {
  const { status, stdout, stderr } = spawnSync(file, words, { encoding: "utf8", env: { ...process.env, HOME_OPS_STATE: folder } });
  return { status, stdout, stderr };
};
/** Runs a procedure with its state on a disk of its own, which `prepare` sets up in $HOME_OPS_STATE. */
const onDisk = (prepare: string) =>
  run("unshare", ["-rm", "sh", "-c", `mount -t tmpfs -o size=64k home-ops "$HOME_OPS_STATE" && ${prepare} && exec ${quoted}`]);
const hasNamespaces = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "x", tmpdir()]).status === 0;

const line = (state: string, why: string, code: string) =>
  new RegExp(`^the state folder ${state} ${why}: fix that, or set HOME_OPS_STATE to another folder \\(${code}: [^\\n]*\\)\\n$`);

test("a file in its place is one line", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const { status, stdout, stderr } = spawnSync(SCRIPT[0]!, SCRIPT.slice(1), {
    encoding: "utf8",
    env: { ...process.env, HOME_OPS_STATE: file },
  });
  expect(stderr).toMatch(line(file, "is not a folder", "ENOTDIR|EEXIST"));
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
});

describe.skipIf(!hasNamespaces)("a disk", () => {
  test("that is full is one line", () => {
    const ran = onDisk('{ cat /dev/zero >"$HOME_OPS_STATE/fill" 2>/dev/null || true; }');
    expect(ran.stderr).toMatch(line(folder, "is full", "ENOSPC"));
    expect(ran.status).toBe(1);
  });
  test("that is read-only is one line", () => {
    const ran = onDisk('mount -o remount,ro "$HOME_OPS_STATE"');
    expect(ran.stderr).toMatch(line(folder, "is read-only", "EROFS"));
    expect(ran.status).toBe(1);
  });
  test("that is read-only does not stop a dry run, which writes nothing", () => {
    const ran = onDisk('mount -o remount,ro "$HOME_OPS_STATE" && export DRY_RUN=1');
    expect(ran).toMatchObject({ status: 0, stderr: "" });
  });
});
