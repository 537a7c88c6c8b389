// What was shown is what is done: the second look may find less to do, never something else.
import { describe, expect, test } from "vitest";
import type { Gate, Verdict } from "../../../scripts/lib/run/gates.ts";
import { differencesOf, type Plan } from "../../../scripts/lib/run/plan.ts";
import { procedure } from "../../../scripts/lib/run/procedure.ts";
import { record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";

const step = (target: string, destroys?: boolean) => ({ action: "install Talos on", target, ...(destroys && { destroys }) });
const plan = (targets: string[], more: Partial<Plan> = {}): Plan => ({
  title: "try",
  lines: targets,
  steps: targets.map((target) => step(target)),
  ...more,
});
const [node] = testCluster().nodes;

/** Runs a procedure whose plans are given, the last one again and again; a person is asked unless `asked` is false. */
async function run(plans: Plan[], { gates = [] as Gate[], asked = true, waive = [] as string[], whileAsking = () => {} } = {}) {
  const done: string[] = [];
  const spec = procedure({
    name: "test:try",
    about: "try",
    options: {},
    gates,
    async run(_values, context) {
      const { steps } = await context.confirm(async () => (plans.length > 1 ? plans.shift()! : plans[0]!));
      done.push(...steps.map(({ target }) => target));
    },
  });
  const lab = await record({ waive, ...(asked && { whileAsking }) });
  const error = (await lab.run(spec, {})) as Error | undefined;
  return { done, error: error?.message, said: lab.said, questions: lab.plans.length };
}

describe("a second look", () => {
  test("that finds the same goes on", async () => expect((await run([plan(["a"]), plan(["a"])])).done).toEqual(["a"]));
  test("that finds less does less", async () => expect((await run([plan(["a", "b"]), plan(["b"])])).done).toEqual(["b"]));
  test("that finds nothing left says so", async () =>
    expect((await run([plan(["a"]), plan([])])).error).toBe("nothing left to do: it was done while the question was open"));
  test("that finds another target stops, and names it", async () =>
    expect(await run([plan(["a"]), plan(["a", "k8s-2"])])).toMatchObject({
      done: [],
      error:
        "could not start test:try: the plan changed while the question was open\n  said: new: install Talos on k8s-2\n  now:  nothing was changed\n  next: task test:try",
    }));
  test("is not needed when nobody was asked", async () =>
    expect((await run([plan(["a"]), plan(["b"])], { asked: false })).done).toEqual(["a"]));
  test("a plan without steps asks nothing", async () => expect(await run([plan([])])).toMatchObject({ done: [], questions: 0 }));
});

describe("plans differ", () => {
  test("by what they destroy", () =>
    expect(differencesOf(plan(["a"]), plan(["a"], { destroys: { what: ["zvol a"], name: "a" } }))).toEqual(["new: it destroys zvol a"]));
  test("when a step has become destructive", () =>
    expect(differencesOf(plan(["a"]), { ...plan(["a"]), steps: [step("a", true)] })).toEqual(["new: install Talos on a"]));
  test("not by fewer names of what they destroy", () => {
    const destroys = (name: string) => ({ destroys: { what: [name], name } });
    expect(differencesOf(plan(["a"], destroys("k8s-0,k8s-1")), plan(["a"], destroys("k8s-1")))).toEqual([]);
  });
  test("not by figures in their lines", () =>
    expect(differencesOf(plan(["a"]), { ...plan(["a"]), lines: ["5 GB"], title: "other" })).toEqual([]));
});

describe("a gate", () => {
  const gate = (...verdicts: (Verdict | undefined)[]): Gate => ({
    name: "quorum",
    about: "etcd keeps its quorum",
    look: async () => (verdicts.length > 1 ? verdicts.shift() : verdicts[0]),
  });
  const OK: Verdict = { state: "ok", saw: "3 of 3" };
  const BAD: Verdict = { state: "bad", saw: "2 of 3" };
  const UNKNOWN: Verdict = { state: "unknown", saw: "no answer" };
  const down = plan(["a"], { takesDown: [node!] });

  test("that is bad stops before the question, with the WAIVE= for it", async () =>
    expect(await run([plan(["a"])], { gates: [gate(BAD)] })).toMatchObject({
      questions: 0,
      done: [],
      error:
        "could not start test:try\n  said: quorum: 2 of 3 (WAIVE=quorum skips this check)\n  now:  nothing was changed\n  next: fix this, then: task test:try",
    }));
  test("is asked again after the question", async () =>
    expect(await run([plan(["a"])], { gates: [gate(OK, BAD)] })).toMatchObject({ questions: 1, done: [] }));
  test("is not asked when it is waived", async () =>
    expect((await run([plan(["a"])], { gates: [gate(BAD)], waive: ["quorum"] })).done).toEqual(["a"]));
  test("that is unknown blocks a plan that takes down a healthy node", async () =>
    expect((await run([down], { gates: [gate(UNKNOWN)] })).error).toContain("quorum: unknown: no answer (WAIVE=quorum skips this check)"));
  test("that is unknown blocks a plan that destroys something", async () =>
    expect((await run([plan(["a"], { destroys: { what: ["a"], name: "a" } })], { gates: [gate(UNKNOWN)] })).done).toEqual([]));
  test("that is unknown blocks a plan with a destructive step", async () =>
    expect((await run([{ ...plan(["a"]), steps: [step("a", true)] }], { gates: [gate(UNKNOWN)] })).done).toEqual([]));
  test("that is unknown is a warning for anything else", async () =>
    expect(await run([plan(["a"])], { gates: [gate(UNKNOWN)] })).toMatchObject({
      done: ["a"],
      said: expect.arrayContaining(["warning: quorum: unknown: no answer"]) as unknown,
    }));
  test("that throws is unknown", async () => {
    const broken: Gate = { name: "ceph", about: "", look: () => Promise.reject(new Error("no answer")) };
    expect((await run([down], { gates: [broken] })).error).toContain("ceph: unknown: no answer");
  });
  test("that the plan does not concern says nothing", async () =>
    expect(await run([plan(["a"])], { gates: [gate(undefined)] })).toMatchObject({ done: ["a"], said: [] }));
});
