import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { retry } from "../../../scripts/lib/run/retry.ts";
import { realClock, useClock } from "../../../scripts/lib/run/wait.ts";

let pauses: number[];
beforeEach(() => {
  pauses = [];
  useClock({ now: () => 0, sleep: async (ms) => void pauses.push(ms) });
});
afterEach(() => useClock(realClock));

/** Fails with these errors, one after the other, then returns the number of the attempt. */
const failing =
  (...errors: string[]) =>
  async (attempt: number) => {
    const error = errors.shift();
    if (error !== undefined) throw new Error(error);
    return attempt;
  };
const busy = { tries: 4, pauseMs: 100, isTransient: (error: unknown) => /busy/.test(String(error)) };

describe("retry", () => {
  test("tries again after a transient error, with growing pauses", async () => {
    expect(await retry(busy, failing("busy", "busy", "busy"))).toBe(4);
    expect(pauses).toEqual([100, 200, 400]);
  });
  test("throws the last error when the tries are used up", async () => {
    await expect(retry({ ...busy, tries: 2 }, failing("busy 1", "busy 2", "busy 3"))).rejects.toThrow("busy 2");
    expect(pauses).toEqual([100]);
  });
  test("throws a permanent error at once", async () => {
    await expect(retry(busy, failing("forbidden"))).rejects.toThrow("forbidden");
    expect(pauses).toEqual([]);
  });
  test("does not try again after an abort", async () =>
    expect(retry({ ...busy, signal: AbortSignal.abort() }, failing("busy"))).rejects.toThrow("busy"));
  test("does not pause without pauseMs", async () => {
    expect(await retry({ tries: 2, isTransient: busy.isTransient }, failing("busy"))).toBe(2);
    expect(pauses).toEqual([]);
  });
});
