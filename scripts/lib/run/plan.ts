// What a run is going to do, as data: shown, confirmed, and compared with what a second look finds.
import type { Node } from "../cluster/cluster.ts";

/** One action on one thing: `{ action: "install Talos on", target: "k8s-0" }`. Plans are compared by these two words, never by figures. */
export interface Step {
  action: string;
  target: string;
  /** It removes or overwrites something. */
  destroys?: boolean;
}

/** What the person sees and answers. */
export interface Question {
  /** One line: "talos:apply k8s-0". */
  title: string;
  /** What will happen, removals first. */
  lines: string[];
  /** What cannot be undone, and the name that must be typed to continue. */
  destroys?: { what: string[]; name: string };
}

export interface Plan extends Question {
  /** Empty when there is nothing to do. */
  steps: readonly Step[];
  /** Healthy nodes that go down for it, one after the other. */
  takesDown?: readonly Node[];
}

/** What several parts of one run destroy, as one question: every line of it, and every name to type. */
export function mergeDestroys(parts: readonly Pick<Question, "destroys">[]): Question["destroys"] {
  const all = parts.flatMap(({ destroys }) => destroys ?? []);
  if (all.length === 0) return undefined;
  return { what: all.flatMap(({ what }) => what), name: [...new Set(all.flatMap(({ name }) => name.split(",")))].join(",") };
}

/** Steps of `now` that `shown` does not have: `install Talos on k8s-2`. Fewer steps are no difference. */
export const unplanned = (shown: readonly Step[], now: readonly Step[]): Step[] =>
  now.filter((step) => !shown.some((other) => isSame(step, other)));

/** How a second plan differs from the one that was shown, a line each; none when the second does the same or less. */
export function differencesOf(shown: Plan, now: Plan): string[] {
  const added = unplanned(shown.steps, now.steps).map((step) => `new: ${describeStep(step)}`);
  const named = namesOf(shown);
  return namesOf(now).every((name) => named.includes(name)) ? added : [...added, `new: it destroys ${now.destroys!.what.join(", ")}`];
}

/** The names that must be typed, one or several with commas between. */
const namesOf = ({ destroys }: Plan) => destroys?.name.split(",") ?? [];

export const describeStep = ({ action, target }: Step) => `${action} ${target}`;

/** Two steps are the same when action, target and whether they destroy are. */
const isSame = (one: Step, other: Step) =>
  one.action === other.action && one.target === other.target && Boolean(one.destroys) === Boolean(other.destroys);

/** The part of a plan that a gate decides on. */
export type Proposed = Pick<Plan, "takesDown" | "destroys"> & Partial<Pick<Plan, "steps">>;
