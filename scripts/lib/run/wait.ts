// Waiting for a condition that is observed, with a deadline, saying why it is not so yet.
import { Failure } from "./errors.ts";
import { patient } from "./patience.ts";
import type { Ui } from "./ui.ts";

/** `far` is how much is there already: whenever it is more than ever, the patience begins anew. */
export type Probe<T> = { ready: T } | { waiting: string; progress?: number };

export interface Patience {
  /** What is waited for, as it stands in the error: "k8s-0 to answer". */
  for: string;
  /** Seconds until it is a failure. */
  seconds: number;
  /** Seconds in all, however much comes; for a probe that says how far it is. */
  atMost?: number;
  ui: Pick<Ui, "progress">;
  signal: AbortSignal;
  /** The command that continues. */
  next?: string;
  /** Resolves when looking again is worth it before the pause is over: an event came. */
  news?: () => Promise<void>;
}

export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    const { setTimeout } = await import("node:timers/promises");
    await setTimeout(ms, undefined, { signal });
  },
};

let clock = realClock;

/** A pause between two tries. It ends with the run: Ctrl-C rejects it. */
export const pause = (ms: number, signal: AbortSignal = runSignal()): Promise<void> => clock.sleep(ms, signal);

/** The signal of this run's shell; before there is one, a signal that never aborts. */
const runSignal = () => (globalThis as { $?: { signal?: AbortSignal } }).$?.signal ?? new AbortController().signal;

/** Time as this process knows it; tests put one here that does not pass by itself. */
export const useClock = (other: Clock): void => void (clock = other);

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Asks until the probe is ready, at growing intervals from 0.1 to 5 s. What the probe throws ends the wait: a probe turns what may pass into `waiting`. */
export async function until<T>(probe: () => Promise<Probe<T>>, patience: Patience): Promise<T> {
  const { atMost } = patience;
  const slow = { ...patience, seconds: patient(patience.seconds), ...(atMost !== undefined && { atMost: patient(atMost) }) };
  const seen = await look(probe, slow);
  if ("ready" in seen) return seen.ready;
  throw new Failure({ attempted: `wait for ${patience.for} within ${slow.seconds} s`, said: seen.waiting, next: patience.next });
}

/** The same where it is no failure that the time is over: undefined then, and HOME_OPS_PATIENCE does not make it longer. */
export async function untilOrNot<T>(probe: () => Promise<Probe<T>>, patience: Patience): Promise<T | undefined> {
  const seen = await look(probe, patience);
  return "ready" in seen ? seen.ready : undefined;
}

async function look<T>(probe: () => Promise<Probe<T>>, patience: Patience): Promise<Probe<T>> {
  const started = clock.now();
  let [most, since] = [-Infinity, started];
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 1.5, LONGEST_MS)) {
    const seen = await probe();
    const elapsed = (clock.now() - started) / 1000;
    if ("ready" in seen) return seen;
    if (seen.progress !== undefined && seen.progress > most) [most, since] = [seen.progress, clock.now()];
    if ((clock.now() - since) / 1000 >= patience.seconds || elapsed >= (patience.atMost ?? Infinity)) return seen;
    patience.ui.progress(`waiting for ${patience.for}: ${firstLine(seen.waiting)} (${Math.round(elapsed)} s)`);
    await rest(pause, patience);
  }
}

async function rest(ms: number, { signal, news }: Patience): Promise<void> {
  if (!news) return clock.sleep(ms, signal);
  const enough = new AbortController();
  const sleep = clock.sleep(ms, AbortSignal.any([signal, enough.signal])).catch(() => {}); // cut short by news, or by `signal`: see below
  await Promise.race([sleep, news()]);
  enough.abort();
  signal.throwIfAborted();
}

const firstLine = (text: string) => text.split("\n", 1)[0] ?? "";
