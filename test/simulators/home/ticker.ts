// When the home acts by itself: shortly after each change, and when something is due. An idle home sleeps.

export interface Ticker {
  /** Call it after a change; its consequences follow shortly. */
  wake(): void;
  stop(): void;
}

/** The delay between a change and its consequences, so that those of several changes happen together. */
const SOON_MS = 15;
/** The longest sleep, in case something that is due was not announced. */
const LONGEST_MS = 5_000;

/** Calls `tick` until it is stopped, or `tick` throws, which `broken` gets. `tick` returns when something is due next, in the time of `now`. */
export function startTicker(tick: () => number, { now, broken }: { now: () => number; broken: (error: Error) => void }): Ticker {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let at = Infinity;
  const sleep = (ms: number) => {
    clearTimeout(timer);
    at = performance.now() + ms;
    if (!stopped) timer = setTimeout(run, ms);
  };
  const wake = () => {
    if (at > performance.now() + SOON_MS) sleep(SOON_MS);
  };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
  };
  const run = () => {
    at = Infinity;
    try {
      const next = tick();
      if (at === Infinity) sleep(Math.min(Math.max(next - now(), SOON_MS), LONGEST_MS));
    } catch (error) {
      // otherwise the product would wait forever
      stop();
      broken(error instanceof Error ? error : new Error(String(error)));
    }
  };
  sleep(SOON_MS);
  return { wake, stop };
}
