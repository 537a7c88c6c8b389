import { expect, it } from "vitest";
import { fault } from "../../../scripts/lint/commit-message.ts";

it.each([
  "feat(talos): upgrade one node after the other",
  "fix!: the right disk",
  "docs: a runbook\n\nWhy it is needed.",
  "# comment\nchore: x",
  "Merge branch 'main'",
  "fixup! feat: x",
])("%j passes", (message) => {
  expect(fault(message)).toBeUndefined();
});

it.each([
  ["update stuff", '"update stuff" is not "type(scope): what changes"'],
  ["feature: x", 'the type "feature" is none of build, chore, ci, docs, feat, fix, perf, refactor, revert, style, test'],
  ["feat: Add x", '"Add x" begins with a small letter and ends without a full stop'],
  ["feat: add x.", '"add x." begins with a small letter and ends without a full stop'],
  ["feat: add x\nmore", "a blank line comes between the first line and the rest"],
])("%j does not", (message, said) => {
  expect(fault(message)).toBe(said);
});
