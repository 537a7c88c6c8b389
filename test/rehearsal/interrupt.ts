// Kills a run at one point, runs the same command again, and requires the end state of an undisturbed run.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { askHome } from "../simulators/control.ts";
import { runStep, type Ran, run, type Step } from "./day.ts";
import { startHome } from "./home-process.ts";
import { violationsOf } from "./violations.ts";

/** `line`: before the n-th line about an effect is written to the report, so before (odd) or after (even) an effect. `change`: before or after the n-th change of the world. */
export type Point = { at: "line"; n: number } | { at: "change"; n: number; phase: "before" | "after" };

export const nameOf = (point: Point) =>
  point.at === "line" ? `effect ${Math.ceil(point.n / 2)} ${point.n % 2 ? "before" : "after"}` : `change ${point.n} ${point.phase}`;

export interface InterruptedStep {
  step: Step;
  /** With the real tools. */
  real: boolean;
  signal: AbortSignal | undefined;
  /** A copy of the home as it was before the step. */
  before: string;
  /** The end state after an undisturbed run. */
  end: unknown;
  points: Point[];
  seconds: number;
}

/** Runs the step undisturbed in a copy of the home and finds every point at which it can be killed. */
export async function findPoints(
  project: string,
  before: string,
  step: Step,
  { real, signal }: Pick<InterruptedStep, "real" | "signal">,
): Promise<InterruptedStep> {
  const home = await startHome({ project, copyOf: before, real, ...(signal && { signal }) });
  const { folder } = home;
  try {
    const changes = (await askHome(folder, "changes")) as number;
    const ran = await runStep(folder, step, { broken: home.broken });
    if (ran.code !== 0) throw new Error(`${step.name} failed without any interruption:\n${ran.stderr}`);
    const last = (await askHome(folder, "changes")) as number;
    await askHome(folder, "settle");
    const points: Point[] = [
      ...count(effectLines(folder, step)).map((n) => ({ at: "line" as const, n })),
      ...count(last - changes).flatMap((n) => (["before", "after"] as const).map((phase) => ({ at: "change" as const, n, phase }))),
    ];
    return { step, real, signal, before, end: await askHome(folder, "snapshot"), points, seconds: ran.seconds };
  } finally {
    await home.close();
  }
}

const count = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

/** Lines about effects in the newest report of this procedure. */
function effectLines(folder: string, { name }: Step): number {
  const runs = join(folder, "state/runs");
  const newest = readdirSync(runs)
    .filter((file) => file.includes(`Z-${name.replaceAll(":", "-")}-`))
    .sort()
    .at(-1);
  return newest
    ? readFileSync(join(runs, newest), "utf8")
        .split("\n")
        .filter((line) => line.includes('"event":"effect"')).length
    : 0;
}

/** Kills the step at this point and runs it again. Returns what is wrong afterwards; nothing if it recovered. */
export async function interruptAt(project: string, { step, real, signal, before, end }: InterruptedStep, point: Point): Promise<string[]> {
  const home = await startHome({ project, copyOf: before, real, ...(signal && { signal }) });
  const { folder } = home;
  try {
    const first = await runAndKill(folder, step, point);
    // with the real tools the number of changes varies, so a run may end before the point: the end state must be right all the same
    const endedBefore = real && point.at === "change" && first.code === 0;
    if (!first.killed && !endedBefore) return [`was not killed: it ended with ${first.code}: ${lastLines(first)}`];
    const second = await run(folder, step.name, step.words, { broken: home.broken });
    if (second.code !== 0) return [`the second run ended with ${second.code}: ${lastLines(second)}`];
    await askHome(folder, "settle");
    const after = await askHome(folder, "snapshot");
    const wrong = isDeepStrictEqual(after, end) ? [] : [`the end state differs: ${differences(end, after).slice(0, 5).join("; ")}`];
    return [...wrong, ...(await violationsOf(folder, [first, second]))];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    await home.close();
  }
}

const lastLines = ({ stderr }: Ran) => stderr.trim().split("\n").slice(-8).join(" | ");

async function runAndKill(folder: string, step: Step, point: Point): Promise<Ran> {
  if (point.at === "line") return runStep(folder, step, { env: { LAB_KILL_AT_LINE: String(point.n) } });
  return runStep(folder, step, {
    onStart: async (pid) => void (await askHome(folder, "killAt", { pid, change: point.n, phase: point.phase })),
  });
}

/** The paths at which two values differ. */
export function differences(a: unknown, b: unknown, path = ""): string[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return [`${path}: ${short(a)} became ${short(b)}`];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) =>
    differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}/${key}`),
  );
}

const short = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 60);

/** The items in an order that depends on the seed, so that runs without time for all of them try different ones. */
export function shuffled<T>(all: T[], seed: string): T[] {
  let state = [...seed].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
}
