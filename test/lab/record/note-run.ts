// Records the run of a procedure that a lab test called in its own process.
import { appendFileSync } from "node:fs";
import type { Run } from "./outcomes.ts";

export function noteRun(procedure: string, words: string[], code: number): void {
  const run: Run = { procedure, words, dryRun: false, reported: true, code };
  if (process.env.LAB_RUNS !== undefined) appendFileSync(process.env.LAB_RUNS, `${JSON.stringify(run)}\n`);
}
