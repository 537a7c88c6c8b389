// task lint: every check runs, each is reported, a failed one does not hide the others.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { CHECKS, lintAll } from "../../../scripts/lint.ts";
import { type Answers, record } from "../recorder.ts";

const ANSWERS: Answers = {
  "node_modules/.bin/": "",
  "yamllint --version": "yamllint 1.38.0",
  "yamllint --strict .": "",
  [process.execPath]: "",
  "kubeconform --version": "0.8.0",
  ".ci/kubeconform": "",
};

test("all pass", async () => {
  const lab = await record({ answers: ANSWERS });
  expect(await lab.run(lintAll, {})).toBeUndefined();
  expect(lab.commands.filter((line) => !line.includes("--version"))).toEqual(CHECKS.map(({ words }) => `ask ${words.join(" ")}`));
  expect(lab.results[0]).toMatchObject(CHECKS.map(({ name }) => ({ name, state: "ok" })));
});
test("a failed check is named, shown, and the others still run", async () => {
  const answers: Answers = { "node_modules/.bin/tsc": { code: 2, out: "a.ts(1,1): error TS1" }, ...ANSWERS };
  const lab = await record({ answers });
  expect(String(await lab.run(lintAll, {}))).toContain(`1 of ${CHECKS.length} checks failed: types`);
  expect(lab.said).toContain("a.ts(1,1): error TS1");
  expect(lab.results[0]).toHaveLength(CHECKS.length);
});
test("a tool that is not installed is skipped, and that is said", async () => {
  const answers: Answers = { "yamllint --version": { code: 127, err: "not found" }, ...ANSWERS, "yamllint --strict .": { code: 1 } };
  const lab = await record({ answers: { ...answers, "yamllint --version": { code: 127 } } });
  expect(await lab.run(lintAll, {})).toBeUndefined();
  expect(lab.said).toContain("skipped: yamllint (yamllint is not installed: mise install)");
});
test("what the commit hook checks is checked here too", () => {
  const { "pre-commit": hook } = parse(readFileSync("lefthook.yml", "utf8")) as { "pre-commit": { jobs: { run: string }[] } };
  const tools = hook.jobs.map(({ run }) => /(oxfmt|oxlint|tsc|yamllint|scripts\/lint\/\w+\.ts)/.exec(run)![1]!);
  const ours = CHECKS.map(({ words }) => words.join(" ")).join("\n");
  for (const tool of tools) expect(ours).toContain(tool);
});
test("every lint of the repository's files is one of the checks", () => {
  const { tasks } = parse(readFileSync("Taskfile.yml", "utf8")) as { tasks: Record<string, unknown> };
  const lints = Object.keys(tasks).filter((name) => name.startsWith("lint:"));
  // these two write a file, and read a message that Git passes
  expect(lints.filter((name) => !CHECKS.some((check) => check.name === name))).toEqual(["lint:cluster-schema", "lint:commit-message"]);
});
