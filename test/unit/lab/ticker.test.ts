// A home moves on when something changed and when something is due, and sleeps otherwise.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTicker, type Ticker } from "../../simulators/home/ticker.ts";

let ticks = 0;
let next = Infinity;
let ticker: Ticker;
const broken: string[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  [ticks, next] = [0, Infinity];
  broken.length = 0;
});
afterEach(() => {
  ticker.stop();
  vi.useRealTimers();
});

function start(tick: () => void = () => {}): void {
  ticker = startTicker(() => (ticks++, tick(), next), { now: () => Date.now(), broken: (error) => void broken.push(error.message) });
}

test("one in which nothing happens looks a dozen times in a minute", () => {
  start();
  vi.advanceTimersByTime(60_000);
  expect(ticks).toBeLessThanOrEqual(13);
});

test("a change is followed in a moment, and many changes at once together", () => {
  start();
  vi.advanceTimersByTime(1_000);
  const before = ticks;
  for (let i = 0; i < 100; i += 1) ticker.wake();
  vi.advanceTimersByTime(40);
  expect(ticks).toBe(before + 1);
});

test("a change that the tick itself makes is followed too", () => {
  start(() => ticks < 5 && ticker.wake());
  vi.advanceTimersByTime(200);
  expect(ticks).toBe(5);
});

test("what is due is done when it is due", () => {
  start();
  next = Date.now() + 700;
  vi.advanceTimersByTime(40);
  expect(ticks).toBe(1);
  vi.advanceTimersByTime(640);
  expect(ticks).toBe(1);
  next = Infinity;
  vi.advanceTimersByTime(30);
  expect(ticks).toBe(2);
});

test("a tick that throws is the last one", () => {
  start(() => {
    throw new Error("a manifest that nobody was taught");
  });
  vi.advanceTimersByTime(60_000);
  expect([ticks, broken]).toEqual([1, ["a manifest that nobody was taught"]]);
});
