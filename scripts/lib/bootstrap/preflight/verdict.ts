// One check of the preflight: what it saw and whether that stands in the way.
import type { Context } from "../../run/context.ts";
import { textOf } from "../../run/errors.ts";
import type { Verdict } from "../../run/gates.ts";

export interface Check {
  /** Short, and what `WAIVE=` takes. */
  name: string;
  look(context: Context): Promise<Verdict>;
}

export type Result = Verdict & { name: string; waived: boolean };

/** Runs all checks at once; one that throws is bad, with what was thrown. */
export async function runChecks(checks: Check[], context: Context): Promise<Result[]> {
  const results = await Promise.all(
    checks.map(async ({ name, look }) => {
      const verdict = await look(context).catch((error: unknown): Verdict => ({ state: "bad", saw: textOf(error) }));
      return { name, ...verdict, waived: verdict.state === "bad" && context.waive.includes(name) };
    }),
  );
  context.signal.throwIfAborted();
  return results;
}
