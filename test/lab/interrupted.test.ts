// A few of the points at which the day can be killed; `npm run rehearse -- --interrupt` tries them all.
import { expect, test } from "vitest";
import { allInterruptions } from "../rehearsal/all-interruptions.ts";

const ui = { say: () => {}, progress: () => {} } as never;

test("killed at a few points, the same command goes on and ends in the same state", async () => {
  const { tried, survived, wrong } = await allInterruptions(process.cwd(), {
    minutes: 5,
    seed: "lab",
    ui,
    most: 6,
    only: ["bootstrap", "vm:deploy"],
  });
  expect(wrong).toEqual([]);
  expect([tried, survived]).toEqual([6, 6]);
});
