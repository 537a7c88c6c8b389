import { expect, test, vi } from "vitest";
import { readPatience } from "../../../scripts/lib/run/patience.ts";

test.each([
  [undefined, 1],
  ["", 1],
  ["1", 1],
  ["2.5", 2.5],
])("HOME_OPS_PATIENCE=%s is %s", (text, factor) => expect(readPatience(text)).toBe(factor));

test.each(["0", "0.5", "-1", "101", "long", "Infinity"])("HOME_OPS_PATIENCE=%s is refused with the range", (text) =>
  expect(() => readPatience(text)).toThrow(`HOME_OPS_PATIENCE is a number from 1 to 100, not "${text}"`),
);

test("every deadline is so many times longer", async () => {
  vi.resetModules();
  vi.stubEnv("HOME_OPS_PATIENCE", "3");
  const { patient, patientDuration } = await import("../../../scripts/lib/run/patience.ts");
  expect(patient(20)).toBe(60);
  expect([patientDuration("500ms"), patientDuration("30s"), patientDuration("2m"), patientDuration(100)]).toEqual([
    1_500, 90_000, 360_000, 300,
  ]);
  expect(() => patientDuration("1h")).toThrow("1h is no duration");
  vi.unstubAllEnvs();
  vi.resetModules();
});
