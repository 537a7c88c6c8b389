// What works at a price, or cannot be known: charts that nobody described, volumes that are filled from a backup first.
import type { Finding } from "../types.ts";
import { durationOf } from "./duration.ts";
import { patienceOf } from "./helmrelease.ts";
import type { Model } from "./model.ts";
import type { State } from "./state.ts";
import type { Step } from "./step.ts";
import type { World } from "./world.ts";

/** One finding for each chart, or foreign source, of which nobody said what it brings. */
export function unknownCharts({ undescribed }: World): Finding[] {
  const seen = new Set<string>();
  return undescribed
    .filter(({ from }) => !seen.has(from) && seen.add(from))
    .map(({ name, from, source, namespace }) => ({
      rule: namespace === undefined ? "unknown-source" : "unknown-chart",
      level: "unknown",
      file: source.file,
      line: source.line,
      object: name,
      message: `what ${from} brings is not known`,
      why: `whether ${name} brings or needs a definition, a class or a Secret cannot be told offline`,
      fix: namespace === undefined ? "look at that source by hand" : "describe the chart in scripts/lint/charts.yaml",
    }));
}

/** One note for all releases whose Pods wait for a restore: Helm's patience may end before it does. */
export function populatedNotes(world: World, model: Model, state: State, stuck: ReadonlySet<Step>): Finding[] {
  const filled = [...model.releases].flatMap(([located, { unit, steps }]) => {
    const volume = steps
      .flatMap(({ needs }) => needs)
      .map(({ key }) => state.reached.get(key)?.by)
      .find((by) => by && isFilled(by));
    return volume && !steps.some((step) => stuck.has(step)) ? [{ located, unit, volume }] : [];
  });
  const [first] = filled;
  if (!first) return [];
  const { timeout, interval } = patienceOf(first.located, world.retriesByDefault);
  return [
    {
      rule: "populated-volumes",
      level: "note",
      file: first.located.source.file,
      line: first.located.source.line,
      object: first.unit.name,
      message: `${first.unit.name}${filled.length > 1 ? ` and ${filled.length - 1} other release${filled.length > 2 ? "s" : ""}` : ""} ${filled.length > 1 ? "wait for volumes that are" : "waits for a volume that is"} filled from a backup first`,
      why: `a restore that takes longer than ${durationOf(timeout)} fails the attempt; the next one follows after ${durationOf(interval)}`,
      fix: "nothing, where install and upgrade both retry",
    },
  ];
}

const isFilled = (step: Step) => step.needs.some(({ why }) => why === "is filled by %");
