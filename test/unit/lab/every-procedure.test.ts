// What the lab tests must have seen of every procedure; test/lab/record/global.ts compares it with what ran.
import { expect, test } from "vitest";
import { missingOutcomes, outcomeOf, type Run } from "../../lab/record/outcomes.ts";
import { proceduresThatChange, wantedOutcomes } from "../../lab/record/wanted.ts";

const run = (more: Partial<Run> = {}): Run => ({ procedure: "flux:new", words: [], dryRun: false, reported: true, code: 0, ...more });

test.each([
  ["success", run()],
  ["success", run({ code: 2 })],
  ["refusal", run({ code: 1 })],
  ["refusal", run({ code: 64 })],
  ["interruption", run({ code: 130 })],
  ["dry run", run({ dryRun: true, reported: false, code: 2 })],
  ["wrong usage", run({ reported: false, code: 64 })],
  [undefined, run({ dryRun: true, reported: false, code: 1 })],
  [undefined, run({ reported: false, code: 1 })],
  [undefined, run({ words: ["--help"] })],
])("%s", (outcome, one) => expect(outcomeOf(one)).toBe(outcome));

test("an outcome that no run shows is named", () =>
  expect(
    missingOutcomes(
      new Map([
        ["flux:new", ["success", "dry run", "refusal"]],
        ["lint", ["success"]],
      ]),
      [run(), run({ code: 1 }), run({ procedure: "menu" })],
    ),
  ).toEqual(["flux:new: no dry run", "lint: no success"]));

test("every procedure succeeds and refuses wrong words, and one that changes something has a dry run and a refusal", async () => {
  const wanted = await wantedOutcomes();
  expect([...wanted.keys()]).toEqual(expect.arrayContaining(["bootstrap", "flux:sync", "lab:run", "talos:status"]));
  expect(wanted.get("talos:status")).toEqual(["success", "wrong usage"]);
  expect(wanted.get("vm:deploy")).toEqual(["success", "wrong usage", "dry run", "refusal"]);
  expect(await proceduresThatChange()).toContain("vm:deploy");
});
