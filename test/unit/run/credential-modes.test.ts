// Credential files that are more permissive than 0600 are closed, and a dry run only reports them.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeCredentials } from "../../../scripts/lib/run/credential-modes.ts";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { type Event, silentReport } from "../../../scripts/lib/run/report.ts";

let folder: string;
let events: Event[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modes-"));
  events = [];
  openGate({ file: undefined, write: (event) => void events.push(event) }, false);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  openGate(silentReport, false);
});

async function close(dryRun = false): Promise<string[]> {
  const said: string[] = [];
  const env = {
    KUBECONFIG: join(folder, "kubeconfig"),
    TALOSCONFIG: join(folder, "talosconfig"),
    SOPS_AGE_KEY_FILE: join(folder, "age.key"),
  };
  await closeCredentials({ env, dryRun, ui: { warn: (line: string) => void said.push(line.replaceAll(`${folder}/`, "")) } as never });
  return said;
}
const put = (name: string, mode: number) => {
  writeFileSync(join(folder, name), "x");
  chmodSync(join(folder, name), mode);
};
const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777;

test("each of them is set to 0600, reported, and an effect", async () => {
  put("kubeconfig", 0o644);
  put("talosconfig", 0o640);
  put("age.key", 0o700);
  expect(await close()).toEqual([
    "kubeconfig had mode 0644, more permissive than 0600; it is now 0600",
    "talosconfig had mode 0640, more permissive than 0600; it is now 0600",
    "age.key had mode 0700, more permissive than 0600; it is now 0600",
  ]);
  expect(["kubeconfig", "talosconfig", "age.key"].map(modeOf)).toEqual([0o600, 0o600, 0o600]);
  expect(events).toHaveLength(6);
  expect(await close()).toEqual([]);
});
test("a dry run reports and changes nothing", async () => {
  put("kubeconfig", 0o644);
  openGate(silentReport, true);
  expect(await close(true)).toEqual(["kubeconfig has mode 0644, more permissive than 0600; a run that is no dry run sets it to 0600"]);
  expect(modeOf("kubeconfig")).toBe(0o644);
});
test("a link is followed to its file", async () => {
  put("elsewhere", 0o604);
  symlinkSync("elsewhere", join(folder, "kubeconfig"));
  expect(await close()).toEqual(["kubeconfig had mode 0604, more permissive than 0600; it is now 0600"]);
  expect(modeOf("elsewhere")).toBe(0o600);
});
test("stricter modes, folders, and files that are missing are left alone", async () => {
  put("kubeconfig", 0o400);
  mkdirSync(join(folder, "talosconfig"), { mode: 0o755 });
  expect(await close()).toEqual([]);
  expect([modeOf("kubeconfig"), modeOf("talosconfig")]).toEqual([0o400, 0o755]);
});
