// Work that must also be done after Ctrl-C, such as undoing a change.
import { patient } from "./patience.ts";

/** Runs `act` with a signal of its own, which aborts after `seconds`: its commands and waits run although the run's own signal has aborted. */
export async function finishing<T>(seconds: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(patient(seconds) * 1000);
  if (!("within" in globalThis)) return act(signal); // zx is not loaded, so there are no commands
  return within(() => {
    $.signal = signal;
    return act(signal);
  });
}
