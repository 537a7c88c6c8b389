// One check of the preflight: what it saw and whether that stands in the way.
import type { Context } from "../context.ts";
import { textOf } from "../errors.ts";

/** `unknown` does not block: what cannot be seen is not bad. `bad` blocks unless its gate is waived. */
export interface Verdict {
  state: "ok" | "warning" | "bad" | "unknown";
  saw: string;
  /** The command or deed that mends it. */
  mend?: string;
}

export interface Check {
  /** Short, and what `WAIVE=` takes. */
  name: string;
  look(context: Context): Promise<Verdict>;
}

export type Result = Verdict & { name: string; waived: boolean };

/** Runs all checks at once; one that throws is bad, with what was thrown. */
export const runChecks = (checks: Check[], context: Context): Promise<Result[]> =>
  Promise.all(
    checks.map(async ({ name, look }) => {
      const verdict = await look(context).catch((error: unknown): Verdict => {
        if (context.signal.aborted) throw error;
        return { state: "bad", saw: textOf(error) };
      });
      return { name, ...verdict, waived: verdict.state === "bad" && context.waive.includes(name) };
    }),
  );
