// Two homes with the same past, down to the last key: one with stand-ins, one with the real tools. What is done in one is done in the other.
import { spawn } from "node:child_process";
import { DAY, runStep, type Ran, run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { askHome, environmentOf, layoutOf } from "../simulators/control.ts";
import type { Outcome } from "./compare.ts";

export interface Pair<T> {
  standIn: T;
  real: T;
}

export interface Twins {
  folder: Pair<string>;
  /** One command line, as the product's shell gets it, in both. */
  say(line: string, stdin?: string): Promise<Pair<Outcome>>;
  /** One procedure in both, one after the other; throws what it said when it did not end well. */
  run(name: string, words?: string[]): Promise<void>;
  /** What counts of both, once nothing is under way any more. */
  snapshot(): Promise<Pair<unknown>>;
  ask(verb: string, args?: object): Promise<Pair<unknown>>;
  close(): Promise<void>;
}

/** Lives the day up to the machines' first boot, once, and opens two copies of that home. */
export async function openTwins(project: string): Promise<Twins> {
  const past = await startHome({ project });
  let homes: Pair<RunningHome>;
  try {
    homes = await livePast(project, past);
  } finally {
    await past.close();
  }
  const folder = { standIn: homes.standIn.folder, real: homes.real.folder };
  const both = async <T>(act: (folder: string) => Promise<T>): Promise<Pair<T>> => {
    const acted = Promise.all([act(folder.standIn), act(folder.real)]);
    const [standIn, real] = await Promise.race([acted, homes.standIn.broken, homes.real.broken]);
    return { standIn, real };
  };
  return {
    folder,
    say: (line, stdin) => both((home) => say(home, line, stdin)),
    async run(name, words = ["--yes"]) {
      const ran = await both((home) => run(home, name, words));
      must(ran.standIn);
      must(ran.real);
    },
    async snapshot() {
      await both((home) => askHome(home, "settle"));
      return both((home) => askHome(home, "snapshot"));
    },
    ask: (verb, args) => both((home) => askHome(home, verb, args)),
    async close() {
      await Promise.all([homes.standIn.close(), homes.real.close()]);
    },
  };
}

/** Lives the day up to the machines' first boot, and opens both copies while nothing moves in it. */
async function livePast(project: string, past: RunningHome): Promise<Pair<RunningHome>> {
  for (const step of DAY.filter(({ name }) => name !== "bootstrap")) must(await runStep(past.folder, step));
  await askHome(past.folder, "settle");
  const copyOf = (await askHome(past.folder, "keepCopy", { name: "past" })) as string;
  return { standIn: await startHome({ project, copyOf }), real: await startHome({ project, copyOf, real: true }) };
}

function must({ name, code, stderr }: Ran): void {
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${stderr}`);
}

/** Runs a line as the product's shell would, in the home's environment. */
function say(folder: string, line: string, stdin?: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", `set -euo pipefail; ${line}`], {
      cwd: layoutOf(folder).repo,
      env: environmentOf(folder, { SHLVL: "1" }),
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const outcome: Outcome = { code: null, stdout: "", stderr: "" };
    child.stdout!.on("data", (text: Buffer) => (outcome.stdout += text.toString()));
    child.stderr!.on("data", (text: Buffer) => (outcome.stderr += text.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ ...outcome, code }));
    child.stdin?.on("error", () => {}); // a tool that does not read its input says so by its exit code
    child.stdin?.end(stdin);
  });
}
