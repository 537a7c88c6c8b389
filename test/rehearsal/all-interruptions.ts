// Kills the product at every point of the day, as many as the time allows, in two homes in parallel.
import type { Ui } from "../../scripts/lib/run/ui.ts";
import { askHome } from "../simulators/control.ts";
import { DAY, runStep } from "./day.ts";
import { startHome, type RunningHome } from "./home-process.ts";
import { findPoints, type InterruptedStep, nameOf, shuffled, interruptAt } from "./interrupt.ts";

const PARALLEL_HOMES = 2;
/** Procedures that change nothing. */
const READ_ONLY = ["secrets:check"];

export interface Wanted {
  minutes: number;
  seed: string;
  ui: Ui;
  /** Procedures to kill; all by default. */
  only?: string[];
  /** Maximum number of points. */
  most?: number;
  /** With the real tools. */
  real?: boolean;
  signal?: AbortSignal;
}

export async function allInterruptions(project: string, wanted: Wanted) {
  const { real = false, signal } = wanted;
  const home = await startHome({ project, real, ...(signal && { signal }) });
  try {
    return await interruptAll(project, home, wanted);
  } finally {
    await home.close();
  }
}

async function interruptAll(
  project: string,
  home: RunningHome,
  { minutes, seed, ui, only, most = Infinity, real = false, signal }: Wanted,
) {
  const steps = await stepsToInterrupt(project, home, { ui, real, signal }, only);
  const all = shuffled(
    steps.flatMap((step) => step.points.map((point) => ({ step, point }))),
    seed,
  ).slice(0, most);
  const until = performance.now() + minutes * 60_000; // starts after the points were found
  const wrong: string[] = [];
  let tried = 0;
  const next = async (): Promise<void> => {
    for (let one = all[tried]; one && performance.now() < until; one = all[tried]) {
      signal?.throwIfAborted();
      tried += 1;
      const found = await interruptAt(project, one.step, one.point);
      const name = `${one.step.step.name} killed at ${nameOf(one.point)}`;
      wrong.push(...found.map((what) => `${name}: ${what}`));
      if (found.length > 0) ui.say(`${name}: ${found.join("; ")}`);
      ui.progress(`${tried} of ${all.length} interruptions: ${name}${found.length ? " FAILED" : ""}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_HOMES }, next));
  const survived = tried - new Set(wrong.map((line) => line.split(": ")[0])).size;
  return {
    all: all.length,
    tried,
    survived,
    wrong,
    what: "interruptions" as const,
    line: `the product recovered from ${survived} of ${tried} interruptions${tried < all.length ? ` (${all.length} in all; time for ${tried})` : ""}`,
  };
}

/** Runs the day once, keeps a copy of the home before each step, and finds the points of each step that changes something. The copies stay until the home closes. */
async function stepsToInterrupt(
  project: string,
  home: RunningHome,
  { ui, real, signal }: { ui: Ui; real: boolean; signal: AbortSignal | undefined },
  only?: string[],
): Promise<InterruptedStep[]> {
  const steps: InterruptedStep[] = [];
  for (const step of DAY) {
    if (step.person) await askHome(home.folder, "person");
    if (!READ_ONLY.includes(step.name) && (!only || only.includes(step.name))) {
      await askHome(home.folder, "settle");
      const before = (await askHome(home.folder, "keepCopy", { name: step.name.replace(":", "-") })) as string;
      const found = await findPoints(project, before, { ...step, person: false }, { real, signal });
      steps.push(found);
      ui.say(`${step.name}: ${found.points.length} points`);
    }
    const ran = await runStep(home.folder, { ...step, person: false });
    if (ran.code !== 0) throw new Error(`${step.name} failed (exit ${ran.code}):\n${ran.stderr}`);
  }
  return steps;
}
