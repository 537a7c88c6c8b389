// One check of the preflight: its result, and whether the result blocks the bootstrap.
import type { Context } from "../../run/context.ts";
import { textOf } from "../../run/errors.ts";
import type { Verdict } from "../../run/gates.ts";

export interface Check {
  /** The short name that `WAIVE=` accepts. */
  name: string;
  look(context: Context): Promise<Verdict>;
}

export type Result = Verdict & { name: string; waived: boolean };

/** Runs all checks in parallel. A check that throws is bad. */
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
