// When the home moves on by itself: shortly after each change, and when something is due. A home in which nothing happens sleeps.

export interface Ticker {
  /** Something changed: what follows from it happens in a moment. */
  wake(): void;
  stop(): void;
}

/** What follows from a change happens so much later, together with what follows from others of the same moment. */
const SOON_MS = 15;
/** The longest sleep. Everything that the world does by itself is announced, so this only bounds a mistake. */
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
      // the product would wait for something that never happens
      stop();
      broken(error instanceof Error ? error : new Error(String(error)));
    }
  };
  sleep(SOON_MS);
  return { wake, stop };
}
