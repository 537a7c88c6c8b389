// A procedure as a part of a composite one: no question of its own, but its own gates, and nothing destructive that the whole plan did not name.
import { expect, test } from "vitest";
import type { Gate } from "../../../scripts/lib/run/gates.ts";
import type { Step } from "../../../scripts/lib/run/plan.ts";
import { procedure } from "../../../scripts/lib/run/procedure.ts";
import { sub } from "../../../scripts/lib/run/sub.ts";
import { record, type RecordSetup } from "../recorder.ts";

const ERASE: Step = { action: "erase", target: "k8s-0", destroys: true };
const START: Step = { action: "start", target: "k8s-0" };
let state: "ok" | "bad" = "ok";
const gate: Gate = { name: "power", about: "the power is on", look: async () => ({ state, saw: "it is off" }) };

/** A composite with one part, which plans `now`; the composite's plan names `planned`. */
async function run(planned: Step[], now: Step[], setup: RecordSetup = {}) {
  const done: string[] = [];
  const part = procedure({
    name: "vm:part",
    about: "",
    options: {},
    gates: [gate],
    async run(_values, context) {
      const { steps } = await context.confirm(async () => ({ title: "part", lines: [], steps: now }));
      done.push(...steps.map(({ action }) => action));
      await context.checkGates({ takesDown: [] });
    },
  });
  const whole = procedure({
    name: "vm:whole",
    about: "",
    options: {},
    async run(_values, context) {
      const { steps } = await context.confirm(async () => ({ title: "whole", lines: [], steps: planned }));
      await part.run({}, sub(context, part, steps));
    },
  });
  const recording = await record(setup);
  const ended = await recording.run(whole, {});
  return { done, plans: recording.plans.map(({ title }) => title), message: ended instanceof Error ? ended.message : undefined };
}

test("asks only the question of the whole, and does what the part plans now", async () => {
  state = "ok";
  expect(await run([ERASE, START], [ERASE])).toEqual({ done: ["erase"], plans: ["whole"], message: undefined });
});

test("a harmless step that the whole did not name is done", async () =>
  expect(await run([ERASE], [START])).toEqual({ done: ["start"], plans: ["whole"], message: undefined }));

test("a destructive step that the whole did not name stops it", async () =>
  expect(await run([START], [ERASE])).toEqual({
    done: [],
    plans: ["whole"],
    message:
      "could not continue vm:part: the plan did not name this\n  said: erase k8s-0\n  now:  none of it was done\n  next: task vm:part shows it and asks",
  }));

test("the part's own gates are asked", async () => {
  state = "bad";
  expect((await run([ERASE], [ERASE])).message).toContain(
    "could not start vm:part\n  said: power: it is off (WAIVE=power skips this check)",
  );
});

test("a dry run ends at the plan of the whole", async () => {
  state = "ok";
  expect(await run([ERASE], [ERASE], { dryRun: true })).toEqual({
    done: [],
    plans: ["whole"],
    message: "dry run: nothing was changed",
  });
});
