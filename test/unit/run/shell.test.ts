// The two doors: what passes them, when, and how what they started ends.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { effectsSoFar, openGate } from "../../../scripts/lib/run/effects.ts";
import { hide } from "../../../scripts/lib/run/redact.ts";
import { type Event, silentReport } from "../../../scripts/lib/run/report.ts";
import { ask, openShell, tally } from "../../../scripts/lib/run/shell.ts";

let stop: AbortController;
const events: Event[] = [];
const open = async (dryRun = false) => {
  stop = new AbortController();
  events.length = 0;
  openGate(dryRun ? silentReport : { file: undefined, write: (event) => void events.push(event) }, dryRun);
  await openShell({ signal: stop.signal, env: { PATH: process.env.PATH }, cwd: "/" });
};
beforeEach(() => open());

describe("the door for effects", () => {
  test("is closed in a dry run, before anything starts", async () => {
    await open(true);
    await expect($`touch /tmp/never`).rejects.toThrow("a dry run tried to change something: touch /tmp/never");
  });
  test("starts nothing after an abort", async () => {
    stop.abort(new Error("interrupted by SIGINT"));
    for (let time = 0; time < 3; time += 1) await expect($`true`).rejects.toThrow("interrupted by SIGINT");
    expect([events, effectsSoFar()]).toEqual([[], 0]);
  });
  test("writes down what begins and how it ended", async () => {
    await $`true`;
    await $`false`.nothrow();
    expect(events).toMatchObject([
      { event: "effect", phase: "before", door: "command", what: "true" },
      { event: "effect", phase: "after", what: "true", ok: true },
      { event: "effect", phase: "before", what: "false" },
      { event: "effect", phase: "after", what: "false", ok: false },
    ]);
    expect(effectsSoFar()).toBe(2);
  });
  test("never writes a secret down", async () => {
    hide(["hunter2hunter2"]);
    await $`true ${"hunter2hunter2"}`;
    expect(JSON.stringify(events)).not.toContain("hunter2");
  });
});

test("a shell that nobody started from a shell does not read ~/.bashrc, as bash does when its stdin is a socket", async () => {
  const home = mkdtempSync(join(tmpdir(), "home-"));
  writeFileSync(join(home, ".bashrc"), "echo from bashrc");
  await openShell({ signal: stop.signal, env: { PATH: process.env.PATH, HOME: home }, cwd: "/" });
  expect(await ask`echo here`.text()).toBe("here\n");
  rmSync(home, { recursive: true });
});

describe("the door for reads", () => {
  test("is open in a dry run and writes nothing down", async () => {
    await open(true);
    expect(await ask`echo ${"it's $HOME"} ${["a b", "c"]}`.text()).toBe("it's $HOME a b c\n");
    expect(effectsSoFar()).toBe(0);
  });
  test("ends a read that takes too long", async () => {
    await expect(ask({ timeout: "50ms" })`sleep 30`).rejects.toMatchObject({ signal: "SIGTERM" });
  });
});

test("commands are counted, and those of 1Password apart", async () => {
  const before = { ...tally };
  await ask`op --version`.nothrow();
  await ask({ input: "x" })`cat | op inject`.nothrow();
  await ask`true`;
  expect({ commands: tally.commands - before.commands, op: tally.op - before.op }).toEqual({ commands: 3, op: 2 });
});

test.each([100, 400_000])("a child that does not read %i bytes is an exit code, not a crash", async (size) => {
  await expect($({ input: "x".repeat(size) })`cat | sh -c ${"exit 3"}`).rejects.toMatchObject({ exitCode: 3 });
});

test("an abort ends a pipe with all its children", async () => {
  const running = $`cat /dev/zero | sh -c ${"echo $$; exec sleep 60"}`;
  const pid = await new Promise<number>((found) => running.stdout.once("data", (text: Buffer) => found(Number(text.toString()))));
  stop.abort(new Error("interrupted by SIGINT"));
  await expect(running).rejects.toBeDefined();
  await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 60_000, interval: 10 });
});

/** A process that ended but that nobody has collected yet (a container's first process may not) is not alive. */
const alive = (pid: number) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
