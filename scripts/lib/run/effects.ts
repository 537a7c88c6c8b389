// The one gate that every effect passes: closed in a dry run, written down before and after, counted.
import { type Door, type Report, silentReport } from "./report.ts";
import { redact } from "./redact.ts";

let report: Report = silentReport;
let closed = false;
let count = 0;

/** Sets up the gate for one run. */
export function openGate(to: Report, dryRun: boolean): void {
  [report, closed, count] = [to, dryRun, 0];
}

/** Effects that began since the gate was opened. */
export const effectsSoFar = () => count;

/** Notes that an effect begins and returns what notes its end. Throws, before anything has happened, in a dry run. */
export function begin(door: Door, what: string): (ok: boolean) => void {
  const line = redact(what);
  if (closed) throw new Error(`a dry run tried to change something: ${line}`);
  count += 1;
  const started = performance.now();
  report.write({ event: "effect", phase: "before", door, what: line });
  return (ok) => report.write({ event: "effect", phase: "after", door, what: line, ok, ms: Math.round(performance.now() - started) });
}

/** Runs `act` as one effect. */
export async function effect<T>(door: Door, what: string, act: () => Promise<T>): Promise<T> {
  const end = begin(door, what);
  try {
    const value = await act();
    end(true);
    return value;
  } catch (error) {
    end(false);
    throw error;
  }
}
