// The generated tree that the bench measures is one that the lint reads without a complaint of its own.
import { expect, it } from "vitest";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import { writeLargeTree } from "../../bench/large-tree.ts";
import { repository } from "./tree.ts";

it("sixty applications are all read, built, checked and simulated", async () => {
  const root = repository({ "versions.env": "" });
  expect(writeLargeTree(root, 60)).toBe(308);
  const { findings, input } = await lint({ root }, { kubernetes: "v1.36.5" });
  expect(input.tree.kustomizations).toHaveLength(62);
  expect(input.tree.kustomizations.filter(({ broken }) => broken)).toEqual([]);
  expect(findings.filter(({ level }) => level === "error")).toEqual([]);
});
