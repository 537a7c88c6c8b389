// Decide, show, ask, look again: the one way from a plan to permission to act.
import type { Context } from "./context.ts";
import { Failure, Stop } from "./errors.ts";
import { askGates, type Gate } from "./gates.ts";
import { differencesOf, type Plan } from "./plan.ts";

/** A procedure's name and gates. */
export interface Confirming {
  name: string;
  gates?: readonly Gate[];
}

/**
 * Decides, asks the gates, shows the plan and asks the person. When a person was asked, time has passed: it decides and asks the gates once more, and
 * stops when the plan now differs. Returns the plan to carry out. A plan without steps is returned without a question.
 */
export async function confirm<P extends Plan>(context: Context, { name, gates = [] }: Confirming, decide: () => Promise<P>): Promise<P> {
  const shown = await decide();
  context.signal.throwIfAborted();
  if (shown.steps.length === 0) return shown;
  await askGates(context, gates, shown, name);
  const answer = await context.ui.confirm(shown);
  if (answer === "given") return shown; // YES=1 or CONFIRM=: nobody thought about it, so nothing is older than the plan
  const now = await decide();
  const differences = differencesOf(shown, now);
  if (differences.length > 0)
    throw new Failure({
      attempted: `start ${name}: the plan changed while the question was open`,
      said: differences.join("\n"),
      now: "nothing was changed",
      next: `task ${name}`,
    });
  if (now.steps.length === 0) throw new Stop("nothing left to do: it was done while the question was open");
  await askGates(context, gates, now, name);
  return now;
}
