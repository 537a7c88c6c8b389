// Reading a tree and simulating it must not change its input: documents are parsed once and shared, and the rules and the simulation share one tree.
import { expect, test, vi } from "vitest";
import { knownCharts } from "../../../scripts/lib/lint/chart-facts.ts";
import { converge } from "../../../scripts/lib/lint/converge/converge.ts";
import { RULES } from "../../../scripts/lib/lint/lint.ts";
import { type RuleInput, ruleInputOf } from "../../../scripts/lib/lint/rule-input.ts";
import type * as parse from "../../../scripts/lib/tree/parse.ts";
import { readTree } from "../../../scripts/lib/tree/read.ts";
import { writeLargeTree } from "../../bench/large-tree.ts";
import { repository } from "../lint/tree.ts";

/** Freezes a value and everything in it, except what has methods of its own (maps, sets, Files). */
function deepFreeze<T>(value: T): T {
  const plain = Array.isArray(value) || (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!plain || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value as object)) deepFreeze(inner);
  return value;
}

vi.mock("../../../scripts/lib/tree/parse.ts", async (original) => {
  const real = await original<typeof parse>();
  return { ...real, readDocuments: (text: string) => deepFreeze(real.readDocuments(text)) };
});

test("the freezer reaches every level", () => {
  const frozen = deepFreeze({ list: [{ name: "a" }] });
  expect(() => (frozen.list[0]!.name = "b")).toThrow(TypeError);
});

test.each([
  ["our own tree", () => process.cwd()],
  [
    "a generated tree",
    () => {
      const root = repository({ "versions.env": "" });
      writeLargeTree(root, 20);
      return root;
    },
  ],
])("%s is read, checked and simulated without a change to the input", async (_name, rootOf) => {
  const tree = readTree({ root: rootOf() });
  expect(tree.kustomizations.filter(({ broken }) => broken)).toEqual([]);
  deepFreeze(tree);
  const input: RuleInput = deepFreeze(ruleInputOf(tree, "v1.36.5"));
  for (const rule of RULES) await rule.check(input);
  expect(converge(input.tree, { charts: deepFreeze(knownCharts()) }).findings.filter(({ level }) => level === "error")).toEqual([]);
});
