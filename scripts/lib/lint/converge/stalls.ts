// Releases that give up: Helm waits for a release's Pods only so long, and only one that retries both its install and its upgrade tries for ever.
import type { Finding, Located } from "../types.ts";
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
  by: Step;
  name: string;
}

/** One finding for all releases that can stall: they have the cause in common. */
export function stallFindings({ retriesByDefault: retries }: World, model: Model, state: State, stuck: ReadonlySet<Step>): Finding[] {
  const before = ancestry(state);
  const stalls: Stall[] = [];
  for (const [located, { unit, steps }] of model.releases) {
    if (patienceOf(located, retries).attempts === Infinity || steps.some((step) => stuck.has(step))) continue;
    const start = steps.find(({ name }) => name.endsWith(": install"))!;
    const late = steps
      .flatMap(({ needs }) => needs)
      .map((need) => ({ need, by: state.reached.get(need.key)?.by }))
      .find(
        ({ need, by }) =>
          by && by.unit !== unit && need.how !== "guard" && need.how !== "passing" && runsSomething(by, state) && !before.surely(by, start),
      );
    if (late) stalls.push({ located, need: late.need, by: late.by!, name: unit.name });
  }
  const [first] = stalls;
  if (!first) return [];
  const { located, need, by, name } = first;
  const { attempts, timeout } = patienceOf(located, retries);
  return [
    {
      rule: "release-can-stall",
      level: "error",
      file: located.source.file,
      line: located.source.line,
      object: name,
      message: `${name}${stalls.length > 1 ? ` and ${stalls.length - 1} other release${stalls.length > 2 ? "s" : ""}` : ""} can give up before ${inWords(need.key)} is there (${by.unit.name} brings it)`,
      why: `${attempts === 1 ? "its one attempt" : `each of its ${attempts} attempts`} waits ${durationOf(timeout)}; then it stalls until somebody changes it`,
      fix: "install and upgrade both with strategy RetryOnFailure, in the patch of the root Kustomization",
    },
  ];
}

/** Whether a step comes only after some workload runs: an image to fetch, a disk to find, a backup to read, with no limit but patience. */
function runsSomething(step: Step, { reached }: State): boolean {
  const seen = new Set<Step>([step]);
  for (const here of seen) {
    if (/: run$|: ready$/.test(here.name) && here.takes > 5) return true;
    for (const { key, how } of here.needs) {
      const by = how === "passing" ? undefined : reached.get(key)?.by;
      if (by) seen.add(by);
    }
  }
  return false;
}
