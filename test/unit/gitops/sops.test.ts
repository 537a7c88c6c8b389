import { expect, it } from "vitest";
import { recipientsOf, withRecipient } from "../../../scripts/lib/gitops/sops.ts";

const OURS = `age1${"q".repeat(58)}`;
const OTHERS = `age1${"z".repeat(58)}`;
const fresh =
  '---\n# ours\ncreation_rules:\n  - path_regex: talos/.*\n    age: age1-your-recipient-see-task-secrets-init\n  - path_regex: kubernetes/.*\n    age: "age1-your-recipient-see-task-secrets-init" # soon\nstores: {yaml: {indent: 2}}\n';

it("a placeholder is nobody", async () => {
  expect(await recipientsOf(fresh)).toEqual([]);
  expect(await recipientsOf("creation_rules: []\n")).toEqual([]);
  expect(await recipientsOf("")).toEqual([]);
});

it("puts the recipient where placeholders stand, and nowhere else", async () => {
  const written = await withRecipient(fresh, OURS);
  expect(written).toBe(
    fresh.replace("age1-your-recipient-see-task-secrets-init", OURS).replace('"age1-your-recipient-see-task-secrets-init"', OURS),
  );
  expect(await recipientsOf(written)).toEqual([OURS]);
});

it("never takes a recipient away", async () => {
  const theirs = await withRecipient(fresh, OTHERS);
  expect(await withRecipient(theirs, OURS)).toBe(theirs);
  expect(await recipientsOf(`creation_rules:\n  - age: ${OURS},${OTHERS}\n  - age: ${OTHERS}\n`)).toEqual([OURS, OTHERS]);
});
