// OUTPUT=json prints exactly one JSON document on stdout, whatever happens: for each way a run can end, and for every procedure.
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { Failure, Stop, UsageError } from "../../../scripts/lib/run/errors.ts";
import { Unreadable } from "../../../scripts/lib/run/tool-output.ts";
import { flag, type Options } from "../../../scripts/lib/run/options.ts";
import { procedure, runProcedure } from "../../../scripts/lib/run/procedure.ts";
import { silentReport } from "../../../scripts/lib/run/report.ts";
import { ask } from "../../../scripts/lib/run/shell.ts";
import { realClock, useClock } from "../../../scripts/lib/run/wait.ts";
import { stillClock } from "../recorder.ts";
import type { Procedure } from "../../../scripts/lib/run/spec.ts";

let out: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  out = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const state = mkdtempSync(join(tmpdir(), "json-"));
  // no tool, no network, no home
  env = { PATH: state, HOME: state, HOME_OPS_STATE: state, XDG_STATE_HOME: state, KUBECONFIG: join(state, "k"), TALOSCONFIG: join(state, "t"), HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" }; // prettier-ignore
  useClock(stillClock(1000));
});
afterEach(() => {
  vi.restoreAllMocks();
  openGate(silentReport, false); // other tests share this module
});

const parsed = (): unknown => {
  expect(out.endsWith("\n")).toBe(true);
  return JSON.parse(out);
};

const ended = async (run: Procedure["run"], words: string[] = []) => {
  const spec = procedure({ name: "try:it", about: "try it", cluster: false, scope: "none", options: { x: flag("x") }, run });
  const code = await runProcedure(spec as Procedure<Options>, ["--output", "json", ...words], { ...env, PATH: process.env.PATH });
  return { code, document: parsed() };
};

describe("a run that ends", () => {
  test("with a result gives it as it is", async () => {
    const one = await ended(async (_values, { ui }) => ui.result([{ a: 1 }], "a"));
    expect(one).toEqual({ code: 0, document: [{ a: 1 }] });
  });
  test("with several results gives the last one", async () => {
    const one = await ended(async (_values, { ui }) => (ui.result(1, "1"), ui.result({ b: 2 }, "2")));
    expect(one.document).toEqual({ b: 2 });
  });
  test("without a result gives what was said", async () =>
    expect(await ended(async (_values, { ui }) => ui.say("nothing to do"))).toEqual({ code: 0, document: { said: ["nothing to do"] } }));
  test("without a word gives an empty list", async () => expect((await ended(async () => {})).document).toEqual({ said: [] }));
  test("as a dry run gives the plan, with the result beside it", async () => {
    const plan = { title: "try:it", lines: ["a"], steps: [], destroys: { what: ["b"], name: "c" } };
    const one = await ended(async (_values, { ui }) => (ui.result(1, "1"), void (await ui.confirm(plan))), ["--dry-run"]);
    expect(one).toEqual({ code: 0, document: { plan: { title: "try:it", lines: ["a"], destroys: ["b"] }, result: 1 } });
  });
  test("with an expected stop after a result gives the result", async () => {
    const one = await ended(async (_values, { ui }) => {
      ui.result({ changes: true }, "a");
      throw new Stop("changes are pending", { pending: true });
    });
    expect(one.document).toEqual({ changes: true });
  });
  test("with a declined question gives what was said", async () => {
    const stop = () => Promise.reject(new Stop("nothing was changed"));
    expect((await ended(stop)).document).toEqual({ said: ["nothing was changed"] });
  });
  test("with a failure gives its parts", async () => {
    const fail = () => Promise.reject(new Failure({ attempted: "a", said: "b\nc", now: "d", next: "e" }));
    expect(await ended(fail)).toEqual({ code: 1, document: { error: { failed: "a", reason: "b\nc", state: "d", next: "e" } } });
  });
  test("with a failure after a result gives both", async () => {
    const one = await ended(async (_values, { ui }) => {
      ui.result([1], "1");
      throw new Failure({ attempted: "a" });
    });
    expect(one.document).toEqual({ error: { failed: "a", reason: "could not a" }, result: [1] });
  });
  test("with an answer that could not be read", async () => {
    const one = await ended(() => Promise.reject(new Unreadable({ attempted: "read the output of `op`", said: "it is empty" })));
    expect(one.document).toEqual({ error: { failed: "read the output of `op`", reason: "it is empty" } });
  });
  test("with a command that failed says what state the run leaves and how to go on", async () => {
    const error = (state: string) => ({
      error: { failed: "run try:it", reason: "a command failed: no", state, next: "task try:it, which continues from the observed state" },
    });
    const read = await ended(async () => void (await ask`sh -c ${"echo no >&2; exit 3"}`));
    expect(read).toEqual({ code: 1, document: error("nothing was changed") });
    out = "";
    const change = await ended(async () => void (await $`sh -c ${"echo no >&2; exit 3"}`));
    expect(change).toEqual({ code: 1, document: error("changes of this run stay; the last one may be incomplete") });
  });
  test.each([[new Error("x")], ["a text"], [undefined], [new AggregateError([new Error("a"), new Error("b")], "two")]])(
    "with whatever is thrown: %s",
    async (thrown) => {
      const one = await ended(() => Promise.reject(thrown as Error));
      expect(one).toMatchObject({ code: 1, document: { error: { failed: "run try:it", reason: expect.any(String) } } });
    },
  );
  test("with wrong usage, found late or early", async () => {
    const late = await ended(() => Promise.reject(new UsageError("which?")));
    const error = { failed: "start try:it", reason: "which?", state: "nothing was changed", next: "task try:it -- --help" };
    expect(late).toEqual({ code: 64, document: { error } });
    out = "";
    expect(await ended(async () => {}, ["--nonsense"])).toMatchObject({ code: 64, document: { error: { failed: "start try:it" } } });
  });
  test.each([
    ["before the flag that is wrong", ["--output=json", "--nonsense"], {}],
    ["after it", ["--nonsense", "--output", "json"], {}],
    ["as the task's variable", ["--nonsense"], { ARG_OUTPUT: "json" }],
    ["in the environment", ["--nonsense"], { OUTPUT: "json", ARG_OUTPUT: "" }],
  ])("with wrong usage, JSON asked for %s", async (_where, words, more) => {
    const spec = procedure({ name: "try:it", about: "", cluster: false, scope: "none", options: {}, run: async () => {} });
    expect(await runProcedure(spec, words, { ...env, ...more })).toBe(64);
    expect(parsed()).toMatchObject({ error: { failed: "start try:it" } });
  });
  test("interrupted", async () => {
    const one = await ended(async (_values, { signal }) => {
      process.emit("SIGHUP", "SIGHUP");
      signal.throwIfAborted();
    });
    expect(one).toEqual({
      code: 130,
      document: {
        error: {
          failed: "run try:it",
          reason: "interrupted by SIGHUP",
          state: "the same command resumes from the observed state",
          next: "task try:it",
        },
      },
    });
  });
  test("interrupted after a failure: both are in the one document", async () => {
    const one = await ended(async () => {
      process.emit("SIGINT", "SIGINT");
      throw new Failure({ attempted: "create VM k8s_0", said: "no memory", now: "nothing was made", next: "task vm:deploy" });
    });
    expect(one).toEqual({
      code: 130,
      document: {
        error: {
          failed: "run try:it",
          reason: "interrupted by SIGINT",
          state: "the same command resumes from the observed state",
          next: "task try:it",
          failure: { failed: "create VM k8s_0", reason: "no memory", state: "nothing was made", next: "task vm:deploy" },
        },
      },
    });
  });
  test("interrupted after a failure, as text: the failure, then the interruption", async () => {
    const said: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => (said.push(String(text)), true));
    const run = async () => {
      process.emit("SIGINT", "SIGINT");
      throw new Failure({ attempted: "create VM k8s_0", said: "no memory" });
    };
    const spec = procedure({ name: "try:it", about: "try it", cluster: false, scope: "none", options: {}, run });
    expect(await runProcedure(spec, [], env)).toBe(130);
    expect(said.join("")).toBe(
      "could not create VM k8s_0\n  said: no memory\ninterrupted by SIGINT; the same command resumes from the observed state\n",
    );
  });
  test("interrupted in a wait and in a command: neither counts as a failure", async () => {
    const inWait = async (signal: AbortSignal) => {
      process.emit("SIGINT", "SIGINT");
      await realClock.sleep(60_000, signal);
    };
    const inCommand = async () => {
      const command = $`sleep 60`;
      setTimeout(() => process.emit("SIGINT", "SIGINT"), 50);
      await command;
    };
    for (const wait of [inWait, inCommand]) {
      out = "";
      const { code, document } = await ended((_values, { signal }) => wait(signal));
      expect([code, document]).toEqual([130, { error: expect.not.objectContaining({ failure: expect.anything() as unknown }) as unknown }]);
    }
  });
  test("text stays text", async () => {
    const spec = procedure({ name: "try:it", about: "", cluster: false, scope: "none", options: {}, run: async (_values, { ui }) => ui.result(1, "one") }); // prettier-ignore
    await runProcedure(spec, [], env);
    expect(out).toBe("one\n");
  });
});

const SCRIPTS = join(import.meta.dirname, "../../../scripts");
const files =
  ["", ...readdirSync(SCRIPTS, { withFileTypes: true }).filter((one) => one.isDirectory() && one.name !== "lib").map(({ name }) => name)] // prettier-ignore
    .flatMap((area) => readdirSync(join(SCRIPTS, area)).map((file) => join(area, file)))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .sort();

/** These start servers, compile tools, or run every other check. */
const STARTS = /^(lab|tools)\/|^lint\.ts$/;

const WRONG: [string, string[]][] = [
  ["wrong usage", ["--nonsense"]],
  ["a value that is wrong", ["--dry-run=maybe"]],
  ["--help", ["--help"]],
];
const WITHOUT_TOOLS: [string, string[]][] = [
  ["a dry run where no tool is installed", ["--dry-run"]],
  ["a run where no tool is installed and nobody can answer", []],
];

describe.each(files)("%s", (file) => {
  const load = async () => {
    const found = Object.values((await import(join(SCRIPTS, file))) as Record<string, unknown>).filter(
      (one): one is Procedure => typeof one === "object" && one !== null && "run" in one && "about" in one,
    );
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  test.each([...WRONG, ...(STARTS.test(file) ? [] : WITHOUT_TOOLS)])(
    "%s",
    async (_what, words) => {
      const code = await runProcedure(await load(), ["--output", "json", ...words], env);
      const document = parsed();
      expect(code === 0 || document).toEqual(
        code === 0 ||
          expect.objectContaining({ error: expect.objectContaining({ failed: expect.any(String), reason: expect.any(String) }) }),
      );
    },
    60_000,
  );
});
