// Releases whose Pods wait longer than Helm does: the attempt fails and the next one follows, which costs time and looks like an error.
import type { Finding, Located } from "../../tree/types.ts";
import { durationOf } from "./duration.ts";
import { patienceOf, type Patience } from "./helmrelease.ts";
import { inWords } from "./keys.ts";
import type { Model } from "./model.ts";
import type { State } from "./state.ts";
import type { Need, Step, Unit } from "./step.ts";
import type { World } from "./world.ts";

interface Slow {
  located: Located;
  unit: Unit;
  /** What comes last of all that its Pods wait for. */
  need: Need;
  /** A volume among it is filled from a backup. */
  filled: boolean;
  seconds: number;
  patience: Patience;
}

/** One note for all that wait for a restore, and one for each other thing that comes later than somebody's timeout. */
export function slowNotes(world: World, model: Model, state: State, stuck: ReadonlySet<Step>): Finding[] {
  const slow = [...model.releases].flatMap(([located, { unit, steps }]) =>
    steps.some((step) => stuck.has(step)) ? [] : (slowness(located, unit, steps, world, state) ?? []),
  );
  const groups = new Map<string, Slow[]>();
  for (const one of slow) {
    const cause = one.filled ? "restores" : one.need.key;
    groups.set(cause, [...(groups.get(cause) ?? []), one]);
  }
  return [...groups.values()].map(note);
}

function slowness(located: Located, unit: Unit, steps: readonly Step[], world: World, state: State): Slow | undefined {
  const patience = patienceOf(located, world.retriesByDefault);
  const run = steps.find(({ name }) => name.endsWith(": run"))!;
  const began = state.taken.get(run)?.began ?? 0;
  const waits = run.needs.filter(({ how }) => how === "wait").map((need) => ({ need, reached: state.reached.get(need.key) }));
  const filled = waits.find(({ reached }) => reached?.by?.needs.some(({ why }) => why === "is filled by %"));
  const last = filled ?? waits.sort((a, b) => (b.reached?.at ?? 0) - (a.reached?.at ?? 0))[0];
  const seconds = (last?.reached?.at ?? 0) - began;
  if (!last || (!filled && seconds <= patience.timeout)) return undefined;
  return { located, unit, need: last.need, filled: filled !== undefined, seconds, patience };
}

function note(group: Slow[]): Finding {
  const { located, unit, need, filled, seconds, patience } = group[0]!;
  const more = group.length - 1;
  const who = `${unit.name}${more > 0 ? ` and ${more} other release${more > 1 ? "s" : ""}` : ""}`;
  const { timeout, interval } = patience;
  return {
    rule: filled ? "populated-volumes" : "slow-start",
    level: "note",
    file: located.source.file,
    line: located.source.line,
    object: unit.name,
    message: filled
      ? `${who} ${more > 0 ? "wait for volumes that are" : "waits for a volume that is"} filled from a backup first`
      : `${who} ${more > 0 ? "wait" : "waits"} longer than the timeout of ${durationOf(timeout)} for ${inWords(need.key)}, which is there after about ${durationOf(seconds)}`,
    why: filled
      ? `a restore that takes longer than ${durationOf(timeout)} fails the attempt; the next one follows after ${durationOf(interval)}`
      : failing(seconds, patience),
    fix: "nothing, where install and upgrade both retry; a longer timeout spares the failed attempts",
  };
}

/** What it costs: attempts that fail before the one that finds everything there. */
function failing(seconds: number, { timeout, interval }: Patience): string {
  const attempts = Math.ceil((seconds - timeout) / (timeout + interval));
  return `about ${attempts === 1 ? "one attempt fails" : `${attempts} attempts fail`} first, and the next follows after ${durationOf(interval)}`;
}
