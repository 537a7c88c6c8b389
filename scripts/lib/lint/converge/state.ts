// The run itself: every step is taken as soon as all it needs is there. Each need is looked at once when it comes true, so a tree of any size takes time in proportion to its steps and needs.
import type { Key, Need, Step, Unit } from "./step.ts";
import { groupKey } from "./keys.ts";
import { earliestFirst } from "./queue.ts";

/** When a key came true, and by which step; none for what was there from the start or was granted for the sake of the rest. */
export interface Reached {
  at: number;
  wave: number;
  by?: Step;
  /** It is missing and already reported: the run went on as if it were true. */
  granted?: true;
}

export interface Taken {
  /** Seconds after the bootstrap, when everything takes as long as estimated. */
  at: number;
  /** When all that it waits for without failing was there. */
  began: number;
  wave: number;
  /** The need that came last. */
  last?: Need;
}

export interface State {
  steps: readonly Step[];
  reached: ReadonlyMap<Key, Reached>;
  taken: ReadonlyMap<Step, Taken>;
  providers(key: Key): readonly Step[];
  stepsOf(unit: Unit): readonly Step[];
  /** All keys that a step provides; a group as each of its kinds. */
  brings(step: Step): readonly Key[];
  /** Every step that cannot complete without the key. */
  users(key: Key): readonly Step[];
  /** Makes a key true and continues the run. */
  grant(key: Key): void;
  stuck(): Step[];
}

/** Whether a step cannot complete without a need. */
export const blocks = ({ how }: Need) => how !== "passing";

/** Runs the steps until nothing changes; `given` is there from the start. */
export function run(steps: readonly Step[], given: Iterable<Key>): State {
  const reached = new Map<Key, Reached>();
  const taken = new Map<Step, Taken>();
  const users = new Map<Key, Step[]>();
  const byUnit = new Map<Unit, Step[]>();
  const missing = new Map<Step, number>();
  const providers = providersOf(steps);
  const due = earliestFirst<Step>();
  let queued = 0;

  const settle = () => {
    for (let next = due.take(); next; next = due.take()) {
      const step = next.value;
      const { at, began, last, wave } = timeOf(step, reached);
      taken.set(step, { at, began, last, wave });
      for (const key of providers.keysOf(step)) reach(key, { at, wave, by: step });
    }
  };
  const reach = (key: Key, how: Reached) => {
    if (reached.has(key)) return;
    reached.set(key, how);
    for (const step of users.get(key) ?? []) {
      const left = missing.get(step)! - 1;
      missing.set(step, left);
      if (left === 0) due.add(timeOf(step, reached).at, queued++, step);
    }
  };

  for (const step of steps) {
    listed(byUnit, step.unit).push(step);
    const open = new Set(step.needs.filter(blocks).map(({ key }) => key));
    missing.set(step, open.size);
    for (const key of open) listed(users, key).push(step);
    if (open.size === 0) due.add(step.takes, queued++, step);
  }
  for (const key of providers.expand([...given])) reach(key, { at: 0, wave: 0 });
  settle();
  return {
    steps,
    reached,
    taken,
    providers: providers.of,
    brings: providers.keysOf,
    stepsOf: (unit) => byUnit.get(unit) ?? NOBODY,
    users: (key) => users.get(key) ?? [],
    grant: (key) => {
      reach(key, { at: 0, wave: 0, granted: true });
      settle();
    },
    stuck: () => steps.filter((step) => !taken.has(step)),
  };
}

/** The Kustomization that a step belongs to. */
export const ownerOf = ({ unit }: Step) => (unit.opensWave ? unit : (unit.parent ?? unit));

/** When a step is done: a failed attempt waits for its next turn, all else goes on at once. */
function timeOf(step: Step, reached: ReadonlyMap<Key, Reached>): Taken {
  let began = 0;
  let wave = 0;
  for (const { key, how } of step.needs) {
    const there = reached.get(key);
    if (!there || how === "passing") continue;
    if (how === "guard") began = Math.max(began, there.at);
    const elsewhere = step.unit.opensWave && there.by !== undefined && ownerOf(there.by) !== step.unit;
    wave = Math.max(wave, there.wave + (elsewhere ? 1 : 0));
  }
  let at = began;
  let last: Need | undefined;
  let latest = -1;
  for (const need of step.needs) {
    const there = reached.get(need.key);
    if (!there || need.how === "passing") continue;
    const retry = step.unit.retry;
    const until =
      need.how === "attempt" && there.at > began && retry > 0 ? began + Math.ceil((there.at - began) / retry) * retry : there.at;
    at = Math.max(at, until);
    if (there.by && until > latest) [latest, last] = [until, need];
  }
  return { at: at + step.takes, began, wave, last };
}

/** The providers of each key. A chart that provides a whole API provides each of its kinds that a step needs. */
function providersOf(steps: readonly Step[]) {
  const byKey = new Map<Key, Step[]>();
  const kindsByGroup = new Map<Key, Set<Key>>();
  for (const step of steps) {
    for (const key of step.provides) listed(byKey, key).push(step);
    for (const { key } of step.needs) {
      const group = groupOfKind(key);
      if (group === undefined) continue;
      const kinds = kindsByGroup.get(group);
      if (kinds) kinds.add(key);
      else kindsByGroup.set(group, new Set([key]));
    }
  }
  const expand = (keys: readonly Key[]) =>
    keys.some((key) => kindsByGroup.has(key)) ? keys.flatMap((key) => [key, ...(kindsByGroup.get(key) ?? [])]) : keys;
  return {
    expand,
    of: (key: Key): readonly Step[] => {
      const exact = byKey.get(key) ?? NOBODY;
      const group = groupOfKind(key);
      const whole = group === undefined ? NOBODY : (byKey.get(group) ?? NOBODY);
      return whole.length === 0 ? exact : [...exact, ...whole];
    },
    keysOf: (step: Step) => expand(step.provides),
  };
}

const NOBODY: readonly Step[] = [];

/** The key of the whole API that a kind belongs to. */
const groupOfKind = (key: Key) => (key.startsWith("kind:") ? groupKey(key.slice("kind:".length, key.indexOf("/"))) : undefined);

/** The list at a key, created if missing. */
function listed<K>(lists: Map<K, Step[]>, key: K): Step[] {
  const list = lists.get(key);
  if (list) return list;
  const made: Step[] = [];
  lists.set(key, made);
  return made;
}
