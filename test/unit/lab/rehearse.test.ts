import { expect, test } from "vitest";
import { conclude } from "../../../scripts/lab/rehearse.ts";

const shown: unknown[] = [];
const ui = { result: (result: unknown) => void shown.push(result) };
const some = { all: 10, tried: 4, survived: 4, wrong: [], line: "4 of 4", what: "faults" as const };

test("a sample passes, and says how many there are", () => {
  conclude(ui, some, false);
  expect(shown.at(-1)).toEqual({ all: 10, tried: 4, survived: 4, wrong: [] });
});

test("the whole list fails when the time was enough for a part of it", () =>
  expect(() => conclude(ui, some, true)).toThrow("could not run all 10\n  said: only 4 ran in time"));

test("the whole list passes when all were tried", () =>
  expect(() => conclude(ui, { ...some, tried: 10, survived: 10 }, true)).not.toThrow());

test("one that the product did not recover from fails either", () =>
  expect(() => conclude(ui, { ...some, survived: 3, wrong: ["helm-stuck: it hung"] }, false)).toThrow(
    "1 of 4 faults did not recover\n  said: helm-stuck: it hung",
  ));
