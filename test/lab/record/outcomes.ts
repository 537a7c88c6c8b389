// How the runs of the lab tests ended, and which outcome of which procedure no test has seen.

/** One run of a procedure. */
export interface Run {
  procedure: string;
  words: string[];
  dryRun: boolean;
  /** It wrote a report: it got past its own words and was no dry run. */
  reported: boolean;
  code: number;
}

/** `wrong usage`: it refused its own words, before it looked at anything. `refusal`: it looked, and refused or failed. */
export type Outcome = "success" | "dry run" | "refusal" | "wrong usage" | "interruption";

/** The outcome that a run shows; undefined for `--help`, and for a run that died before it began. */
export function outcomeOf({ dryRun, reported, code, words }: Run): Outcome | undefined {
  if (words.includes("--help")) return undefined;
  if (code === 130) return "interruption";
  if (dryRun) return code === 0 || code === 2 ? "dry run" : undefined;
  if (!reported) return code === 64 ? "wrong usage" : undefined;
  return code === 0 || code === 2 ? "success" : "refusal";
}

/** `flux:delete: no refusal`, a line for each outcome that the runs do not show. */
export function missingOutcomes(wanted: ReadonlyMap<string, readonly Outcome[]>, runs: readonly Run[]): string[] {
  const seen = new Set(runs.map((run) => `${run.procedure}: ${outcomeOf(run)}`));
  return [...wanted].flatMap(([name, outcomes]) =>
    outcomes.filter((outcome) => !seen.has(`${name}: ${outcome}`)).map((outcome) => `${name}: no ${outcome}`),
  );
}
