// A stage of the bootstrap: it reads the state, acts only on that state, and is done when a second read confirms it.
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import type { Plan, Step } from "../run/plan.ts";
import { pause } from "../run/wait.ts";
import type { Procedure } from "../run/spec.ts";

export interface StageState<F = unknown> {
  /** `unknown`: it cannot be observed yet, such as etcd on a node without a config. */
  state: "done" | "partly" | "to do" | "unknown";
  /** The observed state in a few words: "2 of 3 members". */
  saw: string;
  /** What the stage will do, a line each. */
  todo?: string[];
  /** The same as data. A stage that destroys something names each target here, even while the state is unknown. */
  steps?: readonly Step[];
  /** What cannot be undone, and the name that must be typed to confirm it. */
  destroys?: Plan["destroys"];
  /** The input of `act`. */
  facts?: F;
}

interface Spec<F, A = unknown> {
  name: string;
  about: string;
  destroys?: string;
  gates?: Procedure["gates"];
  /** `acted` is the result of `act`, if the stage has just acted: what it requested, for instance. */
  observe(context: Context, acted?: A): Promise<StageState<F>>;
  /** Waits until an unknown state can be observed; `observe` is called again afterwards. */
  ready?(context: Context): Promise<void>;
  /** Carries out the steps of `seen` and no others. `planned` are the confirmed steps. */
  act(context: Context, seen: StageState<F>, planned: readonly Step[]): Promise<A | void>;
}

/** A stage with facts of any type. */
// eslint-disable-next-line typescript/no-explicit-any -- what `observe` returned goes back to the same stage's `act`
export interface Stage extends Procedure<Record<string, never>>, Pick<Spec<any, any>, "observe" | "ready" | "act"> {}

/** Creates a stage from `observe` and `act`. A stage can also run on its own, like any procedure. */
export const stage = <F = undefined, A = undefined>(spec: Spec<F, A>): Stage => ({
  ...(spec as unknown as Omit<Stage, "options" | "run">),
  options: {},
  async run(_values, context) {
    const { seen, steps } = await context.confirm(async () => planOf(spec, await spec.observe(context)));
    if (steps.length === 0) return context.ui.say(`${spec.name}: already done: ${seen.saw}`);
    const after = await carryOut(spec, context, seen, steps);
    context.ui.say(`${spec.name}: ${after.saw}`);
  },
});

/** The plan of one stage. */
export const planOf = <F>(spec: Pick<Spec<F>, "name" | "about">, seen: StageState<F>): Plan & { seen: StageState<F> } => ({
  title: `${spec.name}: ${seen.saw}`,
  lines: seen.todo ?? [spec.about],
  steps: stepsOf(spec, seen),
  ...(seen.destroys && { destroys: seen.destroys }),
  seen,
});

/** The steps of a stage: its own, or the stage itself as one step. */
export const stepsOf = <F>({ name }: Pick<Spec<F>, "name">, { state, steps }: StageState<F>): readonly Step[] =>
  state === "done" ? [] : (steps ?? [{ action: "run", target: name }]);

/** The input of `act`. Throws if it is unknown. */
export function factsOf<F>({ name, about }: Pick<Spec<F>, "name" | "about">, { facts, saw }: StageState<F>): F {
  if (facts !== undefined) return facts;
  throw new Failure({ attempted: about, said: saw, now: "nothing was changed", next: `task ${name}` });
}

/** How often to read the state after `act`, while it cannot be observed. */
const LOOKS = 4;

/** Runs `act` and reads the state again: only a confirmed state is a success. Stops before a destructive step that the plan did not name. */
export async function carryOut<F, A>(
  spec: Spec<F, A>,
  context: Context,
  seen: StageState<F>,
  planned: readonly Step[],
): Promise<StageState<F>> {
  if (seen.state === "unknown" && spec.ready) {
    await spec.ready(context);
    seen = await spec.observe(context);
    if (seen.state === "done") return seen;
  }
  const { refuseUnplanned } = await import("../run/sub.ts"); // not needed for --help
  refuseUnplanned(spec, planned, stepsOf(spec, seen));
  const acted = (await spec.act(context, seen, planned)) ?? undefined;
  let after = await spec.observe(context, acted);
  for (let look = 1; look < LOOKS && after.state === "unknown"; look += 1) {
    await pause(1000, context.signal);
    after = await spec.observe(context, acted);
  }
  if (after.state === "done") return after;
  throw new Failure({ attempted: spec.about, now: `${after.state}: ${after.saw}`, next: `task ${spec.name}` });
}
