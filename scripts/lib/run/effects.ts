// The one gate that every effect passes: it is closed in a dry run and after an abort, reports each effect before and after, and counts them.
import { type Door, type Report, silentReport } from "./report.ts";
import { redact } from "./redact.ts";

let report: Report = silentReport;
let closed = false;
let count = 0;
let ofRun = new AbortController().signal;

/** The signal after which no effect begins. `finishing`: the effect completes or undoes an earlier one, so it also begins after an abort. */
export type Until = AbortSignal | "finishing";

/** Sets up the gate for one run, whose signal aborts on Ctrl-C. */
export function openGate(to: Report, dryRun: boolean, signal = new AbortController().signal): void {
  [report, closed, count, ofRun] = [to, dryRun, 0, signal];
}

/** The number of effects that began since the gate was opened. */
export const effectsSoFar = () => count;

/** Reports that an effect begins, and returns a function that reports its end. In a dry run and after an abort it throws before anything happens. */
export function begin(door: Door, what: string, until: Until = ofRun): (ok: boolean) => void {
  const line = redact(what);
  if (closed) throw new Error(`a dry run tried to change something: ${line}`);
  if (until !== "finishing") until.throwIfAborted();
  count += 1;
  const started = performance.now();
  report.write({ event: "effect", phase: "before", door, what: line });
  return (ok) => report.write({ event: "effect", phase: "after", door, what: line, ok, ms: Math.round(performance.now() - started) });
}

/** Runs `act` as one effect. */
export async function effect<T>(door: Door, what: string, act: () => Promise<T>, until?: Until): Promise<T> {
  const end = begin(door, what, until);
  try {
    const value = await act();
    end(true);
    return value;
  } catch (error) {
    end(false);
    throw error;
  }
}
