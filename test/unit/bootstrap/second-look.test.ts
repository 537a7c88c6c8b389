// `bootstrap` runs its checks again after the question: one that went bad while it was open stops the run.
import { expect, test } from "vitest";
import { planBootstrap } from "../../../scripts/bootstrap.ts";
import { stage } from "../../../scripts/lib/bootstrap/stage.ts";
import type { Verdict } from "../../../scripts/lib/run/gates.ts";
import { procedure } from "../../../scripts/lib/run/procedure.ts";
import { record, type RecordSetup } from "../recorder.ts";

/** Plans a bootstrap of one stage and acts on it. `verdicts` are what the check finds, look after look. */
async function run(verdicts: Verdict[], setup: RecordSetup = {}) {
  const looks: string[] = [];
  const acted: string[] = [];
  const check = { name: "tools", look: async () => (looks.push("check"), verdicts[Math.min(looks.length, verdicts.length) - 1]!) };
  const only = stage({
    name: "bootstrap:only",
    about: "do it",
    observe: async () => ({ state: "to do", saw: "nothing yet" }),
    act: async () => {},
  });
  const spec = procedure({
    name: "bootstrap",
    about: "try",
    options: {},
    async run(_values, context) {
      const shown = {};
      const { steps } = await context.confirm(() => planBootstrap(context, { checks: [check], stages: [only], shown }));
      acted.push(...steps.map(({ target }) => target));
    },
  });
  const lab = await record({ whileAsking: () => {}, ...setup });
  const error = (await lab.run(spec, {})) as Error | undefined;
  return { looks, acted, error: error?.message, questions: lab.plans.length, said: lab.said };
}

const OK: Verdict = { state: "ok", saw: "talosctl 1.13.9" };
const BAD: Verdict = { state: "bad", saw: "talosctl is not installed", fix: "mise install" };

test("a check that is good both times lets the run go on", async () =>
  expect(await run([OK])).toMatchObject({ looks: ["check", "check"], acted: ["bootstrap:only"], error: undefined }));
test("a check that went bad while the question was open stops the run, before anything is done", async () =>
  expect(await run([OK, BAD])).toMatchObject({
    questions: 1,
    acted: [],
    error:
      "1 of 1 preflight checks failed\n  said: tools: talosctl is not installed (mise install)\n  now:  nothing was changed\n  next: mise install, then: task bootstrap",
  }));
test("the results are shown once, and again only if they changed", async () => {
  const tables = async (verdicts: Verdict[]) => (await run(verdicts)).said.filter((line) => line.startsWith("check"));
  expect(await tables([OK])).toHaveLength(1);
  expect(await tables([OK, { ...OK, saw: "talosctl 1.14.0" }])).toHaveLength(2);
});
test("a check that is bad from the start asks no question, and its table is shown", async () => {
  const { questions, acted, said } = await run([BAD]);
  expect([questions, acted]).toEqual([0, []]);
  expect(said[0]).toMatch(/tools +bad +talosctl is not installed/);
});
test("a check that is waived does not stop the run", async () =>
  expect((await run([OK, BAD], { waive: ["tools"] })).acted).toHaveLength(1));
test("a dry run runs the checks once", async () => expect((await run([OK], { dryRun: true })).looks).toEqual(["check"]));
