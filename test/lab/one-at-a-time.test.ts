// Two runs that meet: the second one is refused at once, and a run that was killed blocks nobody.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scriptIn } from "../simulators/environment.ts";
import { run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { whenPresent } from "../simulators/present.ts";

let home: RunningHome;
beforeAll(async () => void (home = await startHome({ project: process.cwd() })));
afterAll(() => home?.close());

/** The lock files of the home; none before its first run. */
function locks(): string[] {
  const folder = join(home.folder, "user/.local/state/home-ops/home-ops-cluster");
  return (whenPresent(() => readdirSync(folder)) ?? []).filter((name) => name.endsWith(".lock"));
}

/** Starts a procedure with a terminal question that nobody answers, so that it stays where it is, and waits until it holds the lock. */
async function begin(name: string, words: string[]) {
  const { file, args, cwd, env } = scriptIn(home.folder, name, words);
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  while (!locks().some((file) => file.includes(`.${child.pid}.`))) {
    if (child.exitCode !== null) throw new Error(`${name} ended before it took the lock`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return child;
}

test("the second of two secrets:init is refused and names the first; after the first was killed the next takes over", async () => {
  const first = await begin("secrets:init", ["--yes"]);
  first.kill("SIGSTOP");
  const second = await run(home.folder, "secrets:init", ["--yes"]);
  expect([second.code, second.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^could not start secrets:init\n {2}said: secrets:init is running \(process \d+, since .* UTC\)\n {2}now: {2}nothing was changed\n/,
    ),
  ]);
  const other = await run(home.folder, "vm:deploy", ["--yes"]);
  expect(other.stderr).toContain("could not start vm:deploy\n  said: secrets:init is running");

  const ended = new Promise((resolve) => first.once("exit", resolve));
  first.kill("SIGKILL");
  await ended;
  const third = await run(home.folder, "secrets:init", ["--yes"]);
  expect([third.code, third.stderr]).toEqual([
    0,
    expect.stringContaining(`removed the lock of secrets:init (process ${first.pid}), which has died`),
  ]);
  expect(locks()).toEqual([]);
});

test("a dry run needs no lock, and reads run beside a change", async () => {
  const first = await begin("vm:deploy", ["--yes", "--generate-iso"]);
  first.kill("SIGSTOP");
  const dry = await run(home.folder, "secrets:init", ["--dry-run"]);
  expect(dry.stderr).not.toContain("is running");
  first.kill("SIGKILL");
});
