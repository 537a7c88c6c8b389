// The order of a first install: which Kustomizations become ready in which wave, and the longest chain of waiting.
import { durationOf } from "./duration.ts";
import { say } from "./keys.ts";
import type { Model } from "./model.ts";
import type { State, Taken } from "./state.ts";
import type { Step } from "./step.ts";

export interface Wave {
  number: number;
  /** `namespace/name` of each Kustomization, sorted. */
  kustomizations: string[];
}

/** A link of the critical path: a step, and what it waited for. */
export interface Link {
  /** `Kustomization rook-ceph/rook-ceph-cluster` */
  name: string;
  /** Seconds after the bootstrap, about. */
  at: number;
  waitedFor?: string;
}

/** Kustomizations by the wave in which they are applied: each waits for something of the wave before. */
export function wavesOf(model: Model, state: State): Wave[] {
  const waves = new Map<number, string[]>();
  for (const [id, { steps }] of model.kustomizations) {
    const wave = state.taken.get(steps.at(-2) ?? steps.at(-1)!)?.wave;
    if (wave !== undefined) waves.set(wave, [...(waves.get(wave) ?? []), id]);
  }
  return [...waves].sort(([a], [b]) => a - b).map(([number, ids]) => ({ number, kustomizations: ids.sort() }));
}

/** The chain that ends last, from its beginning; steps of one unit are one link. */
export function criticalPath(state: State): Link[] {
  let last: Step | undefined;
  for (const [step, { at }] of state.taken) if (!last || at > state.taken.get(last)!.at) last = step;
  return last ? pathTo(last, state) : [];
}

/** What a step waited for, back to the bootstrap. */
export function pathTo(step: Step, state: State): Link[] {
  const links: Link[] = [];
  for (let here: Step | undefined = step; here;) {
    const { at, last }: Taken = state.taken.get(here)!;
    const by: Step | undefined = last && state.reached.get(last.key)?.by;
    if (links[0]?.name === here.unit.name) {
      if (by && by.unit !== here.unit) links[0].waitedFor = say(last!);
    } else links.unshift({ name: here.unit.name, at, ...(by && by.unit !== here.unit && { waitedFor: say(last!) }) });
    here = by;
  }
  return links;
}

/** Waves and path as a person reads them. */
export function inLines(waves: readonly Wave[], path: readonly Link[]): string[] {
  const lines = waves.map(({ number, kustomizations }) => `wave ${number}: ${kustomizations.join(", ")}`);
  if (path.length === 0) return lines;
  return [
    ...lines,
    "critical path (times are estimates):",
    ...path.map(({ name, at, waitedFor }) => `  ${durationOf(at).padStart(7)}  ${name}${waitedFor ? ` ${waitedFor}` : ""}`),
  ];
}
