// Releases that give up: Helm waits for the Pods of a release until a timeout, and only a release that retries both install and upgrade never gives up.
import type { Finding, Located } from "../../tree/types.ts";
import { durationOf } from "./duration.ts";
import { patienceOf } from "./helmrelease.ts";
import { inWords } from "./keys.ts";
import type { Model } from "./model.ts";
import type { State } from "./state.ts";
import type { Need, Step } from "./step.ts";
import type { World } from "./world.ts";
import { ancestry } from "./ancestry.ts";

interface Stall {
  located: Located;
  need: Need;
  /** What must run first. */
  runner: Step;
  name: string;
}

/** One finding for all releases that can stall: they have the cause in common. */
export function stallFindings({ retriesByDefault: retries }: World, model: Model, state: State, stuck: ReadonlySet<Step>): Finding[] {
  const before = ancestry(state);
  const stalls: Stall[] = [];
  for (const [located, { unit, steps }] of model.releases) {
    if (patienceOf(located, retries).attempts === Infinity || steps.some((step) => stuck.has(step))) continue;
    const start = steps.find(({ name }) => name.endsWith(": install"))!;
    for (const need of steps.flatMap(({ needs }) => needs)) {
      const by = need.how === "guard" || need.how === "passing" ? undefined : state.reached.get(need.key)?.by;
      const runner = by && by.unit !== unit && !before.precedes(by, start) ? runnerBefore(by, state) : undefined;
      if (!runner) continue;
      stalls.push({ located, need, runner, name: unit.name });
      break;
    }
  }
  const [first] = stalls;
  if (!first) return [];
  const { located, need, runner, name } = first;
  const { attempts, timeout } = patienceOf(located, retries);
  return [
    {
      rule: "release-can-stall",
      level: "error",
      file: located.source.file,
      line: located.source.line,
      object: name,
      message: `${name}${stalls.length > 1 ? ` and ${stalls.length - 1} other release${stalls.length > 2 ? "s" : ""}` : ""} can give up before ${inWords(need.key)} is there, which waits until ${runner.unit.name} runs`,
      why: `${attempts === 1 ? "its one attempt" : `each of its ${attempts} attempts`} waits ${durationOf(timeout)}; then it stalls until somebody changes it`,
      fix: "install and upgrade both with strategy RetryOnFailure, in the patch of the root Kustomization",
    },
  ];
}

/** The first workload that must run before a step: an image to fetch, a disk to find, a backup to read, with no limit but patience. */
function runnerBefore(step: Step, { reached }: State): Step | undefined {
  const seen = new Set<Step>([step]);
  for (const here of seen) {
    if (here.name.endsWith(": run") || here.takes > 5) return here;
    for (const { key, how } of here.needs) {
      const by = how === "passing" ? undefined : reached.get(key)?.by;
      if (by) seen.add(by);
    }
  }
  return undefined;
}
