// Runs a procedure as a part of a composite one: with the composite's lock, ledger and answer.
import { type Confirming } from "./confirm.ts";
import type { Context } from "./context.ts";
import { Failure } from "./errors.ts";
import { askGates } from "./gates.ts";
import { describeStep, type Step, unplanned } from "./plan.ts";

/**
 * The context for a part of a composite procedure: `await part.run(values, sub(context, part, plan.steps))`. The part plans when its turn comes and asks
 * its own gates, but no question: `planned` are the steps that the operator confirmed for the whole. A destructive step that is not among them stops the run.
 */
export function sub(context: Context, part: Confirming, planned: readonly Step[]): Context {
  const own: Context = {
    ...context,
    async confirm(decide) {
      const plan = await decide();
      context.signal.throwIfAborted();
      if (plan.steps.length === 0) return plan;
      refuseUnplanned(part, planned, plan.steps);
      await own.checkGates(plan);
      return plan;
    },
    checkGates: (plan) => askGates(own, part.gates ?? [], plan, part.name),
  };
  return own;
}

/** Throws if a step destroys something that the confirmed plan did not name. */
export function refuseUnplanned({ name }: { name: string }, planned: readonly Step[], steps: readonly Step[]): void {
  const found = unplanned(planned, steps).filter(({ destroys }) => destroys);
  if (found.length === 0) return;
  throw new Failure({
    attempted: `continue ${name}: the plan did not name this`,
    said: found.map(describeStep).join("\n"),
    now: "none of it was done",
    next: `task ${name} shows it and asks`,
  });
}
