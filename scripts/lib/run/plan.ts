// The plan of a run as data. It is shown, confirmed, and compared with a second plan.
import type { Node } from "../cluster/cluster.ts";

/** One action on one thing: `{ action: "install Talos on", target: "k8s-0" }`. Plans are compared by these two words, never by figures. */
export interface Step {
  action: string;
  target: string;
  /** It removes or overwrites something. */
  destroys?: boolean;
}

/** The question for the operator. */
export interface Question {
  /** One line: "talos:apply k8s-0". */
  title: string;
  /** What will happen, removals first. */
  lines: string[];
  /** What will be lost for good, and the name to type to continue. */
  destroys?: { what: string[]; name: string };
}

export interface Plan extends Question {
  /** Empty when there is nothing to do. */
  steps: readonly Step[];
  /** Healthy nodes that the plan takes down, one after the other. */
  takesDown?: readonly Node[];
}

/** Merges what several parts of one run destroy into one question: all lines, and all names to type. */
export function mergeDestroys(parts: readonly Pick<Question, "destroys">[]): Question["destroys"] {
  const all = parts.flatMap(({ destroys }) => destroys ?? []);
  if (all.length === 0) return undefined;
  return { what: all.flatMap(({ what }) => what), name: [...new Set(all.flatMap(({ name }) => name.split(",")))].join(",") };
}

/** Steps of `now` that `shown` does not have, such as `install Talos on k8s-2`. Missing steps do not count. */
export const unplanned = (shown: readonly Step[], now: readonly Step[]): Step[] =>
  now.filter((step) => !shown.some((other) => isSame(step, other)));

/** The differences of a second plan from the one that was shown, a line each; none if the second does the same or less. */
export function differencesOf(shown: Plan, now: Plan): string[] {
  const added = unplanned(shown.steps, now.steps).map((step) => `new: ${describeStep(step)}`);
  const named = namesOf(shown);
  return namesOf(now).every((name) => named.includes(name)) ? added : [...added, `new: it destroys ${now.destroys!.what.join(", ")}`];
}

/** The names that must be typed, comma-separated. */
const namesOf = ({ destroys }: Plan) => destroys?.name.split(",") ?? [];

export const describeStep = ({ action, target }: Step) => `${action} ${target}`;

/** Two steps are the same if they have the same action, the same target, and both or neither destroy something. */
const isSame = (one: Step, other: Step) =>
  one.action === other.action && one.target === other.target && Boolean(one.destroys) === Boolean(other.destroys);

/** The part of a plan that a gate decides on. */
export type Proposed = Pick<Plan, "takesDown" | "destroys"> & Partial<Pick<Plan, "steps">>;
