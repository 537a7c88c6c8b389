// Retries work that failed with a transient error: the one retry loop. Waiting for a condition is `until` in wait.ts.
import { pause } from "./wait.ts";

export interface Retries {
  /** Number of tries in all. */
  tries: number;
  /** Whether this error may pass; every other one is thrown at once. */
  isTransient(error: unknown): boolean;
  /** Milliseconds before the second try; doubled before each further one. No pause by default. */
  pauseMs?: number;
  /** Ends the retries. By default the run's own signal. */
  signal?: AbortSignal;
}

/** Runs `act`, again if it fails with a transient error. Throws the last error, or the reason of an abort. */
export async function retry<T>({ tries, isTransient, pauseMs = 0, signal }: Retries, act: (attempt: number) => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act(attempt);
    } catch (error) {
      if (attempt >= tries || signal?.aborted || !isTransient(error)) throw error;
      if (pauseMs > 0) await pause(pauseMs * 2 ** (attempt - 1), signal);
    }
  }
}
