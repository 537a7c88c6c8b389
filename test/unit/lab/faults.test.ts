// How the rehearsal judges a day with a fault: the error names it, a survived fault happened and is mentioned or absorbed.
import { describe, expect, test } from "vitest";
import { errorOf, problemsOfError, problemsOfSilence } from "../../rehearsal/days-with-faults.ts";
import { FAULTS, type FaultSpec } from "../../simulators/world/faults.ts";

const FACTORY = `waiting for factory.talos.dev to answer GET: socket hang up (10 s)
could not wait for factory.talos.dev to answer GET within 15 s
  said: the proxy did not take CONNECT factory.talos.dev:443: socket hang up
  next: the same command again, once it answers
`;
const stopped = (stderr: string) => ({ name: "talos:prepare-iso", code: 1, stderr });

describe("an error", () => {
  test("is what stands last, without what was printed while the run waited", () =>
    expect(errorOf(FACTORY)).toBe(FACTORY.split("\n").slice(1, -1).join("\n")));
  test("that names the fault is right", () => expect(problemsOfError(stopped(FACTORY), FAULTS["factory-down"].says)).toEqual([]));
  test("that names another fault is wrong, also when the run mentioned the fault while it waited", () => {
    const other = `waiting for factory.talos.dev: socket hang up (10 s)\ncould not log in to TrueNAS\n  next: task vm:deploy\n`;
    expect(problemsOfError(stopped(other), FAULTS["factory-down"].says)).toEqual([
      expect.stringContaining("talos:prepare-iso stopped (exit 1) with an error that does not name the fault"),
    ]);
  });
  test("without a next command is wrong", () =>
    expect(problemsOfError(stopped("factory.talos.dev: socket hang up\n"), FAULTS["factory-down"].says)).toEqual([
      expect.stringContaining("without a next command"),
    ]));
  test("that is a stack trace is wrong", () =>
    expect(problemsOfError(stopped(`${FACTORY}    at open (node:internal/x:1:2)\n`), FAULTS["factory-down"].says)).toEqual([
      expect.stringContaining("crashed"),
    ]));
});

describe("a survived fault", () => {
  const spec = (more: object): FaultSpec => ({ about: "x", ends: "passes", ...more });
  const run = { stdout: "", stderr: "the release was pending-install\n" };
  test("that is absorbed happened, and needs no mention", () =>
    expect(problemsOfSilence(spec({ absorbed: "a retry" }), [], 0)).toEqual([]));
  test("that never happened is wrong", () =>
    expect(problemsOfSilence(spec({ absorbed: "a retry" }), [], 1)).toEqual(["the fault did not happen during the day"]));
  test("that stands is never used up", () => expect(problemsOfSilence(spec({ absorbed: "a rule", stands: true }), [], 1)).toEqual([]));
  test("that no run mentions is wrong", () => {
    expect(problemsOfSilence(spec({ says: /pending-install/ }), [run], 0)).toEqual([]);
    expect(problemsOfSilence(spec({ says: /HEALTH_WARN/ }), [run], 0)).toEqual(["no run mentions the fault (/HEALTH_WARN/)"]);
    expect(problemsOfSilence(spec({}), [run], 0)).toEqual([expect.stringContaining("no run mentions the fault")]);
  });
});

test.each(Object.entries(FAULTS as Record<string, FaultSpec>))("%s declares its words, or what absorbs it", (_, spec) => {
  if (spec.ends === "stops") expect(spec.says).toBeInstanceOf(RegExp);
  else expect([spec.says !== undefined, spec.absorbed !== undefined, spec.outside?.firstDay !== undefined].filter(Boolean)).toHaveLength(1);
});
