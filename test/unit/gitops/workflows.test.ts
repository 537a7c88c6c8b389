// What the workflows and the scripts of .ci start is there: files, npm scripts, and the parts of the nightly workflow.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Workflow {
  jobs: Record<string, { strategy?: { matrix?: { part?: string[] } }; steps?: { run?: string }[] }>;
}
const WORKFLOWS = ".github/workflows";
const workflows = new Map(readdirSync(WORKFLOWS).map((file) => [file, parse(readFileSync(join(WORKFLOWS, file), "utf8")) as Workflow]));
const blocks = [...workflows].flatMap(([file, { jobs }]) =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => (run === undefined ? [] : [[file, run] as const]))),
);
const shellScripts = readdirSync(".ci", { withFileTypes: true }).filter((one) => one.isFile() && !one.name.endsWith(".mjs"));
const texts = [...blocks, ...shellScripts.map(({ name }) => [`.ci/${name}`, readFileSync(join(".ci", name), "utf8")] as const)];
const npmScripts = new Set(Object.keys((JSON.parse(readFileSync("package.json", "utf8")) as { scripts: object }).scripts));

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);
const filesOf = (text: string) => all(text, /(?:^|[\s"'])(?:\.\/)?((?:\.ci|scripts|test)\/[\w./-]*\w)(?=["'\s;)]|$)/gm);
const npmScriptsOf = (text: string) => all(text, /\bnpm run (?:--silent )?([\w:]+)/g);

test("some are found", () => {
  expect(texts.flatMap(([, text]) => filesOf(text))).toEqual(
    expect.arrayContaining([".ci/run", ".ci/nightly", "scripts/lint/kubernetes.ts"]),
  );
  expect(texts.flatMap(([, text]) => npmScriptsOf(text))).toEqual(expect.arrayContaining(["rehearse", "bench"]));
});

describe.each(texts)("%s: %s", (_, text) => {
  test("its files exist", () => expect(filesOf(text).filter((file) => !existsSync(file))).toEqual([]));
  test("its npm scripts exist", () => expect(npmScriptsOf(text).filter((name) => !npmScripts.has(name))).toEqual([]));
});

test("what a workflow starts in .ci can be executed", () => {
  const started = blocks.flatMap(([, run]) => filesOf(run)).filter((file) => file.startsWith(".ci/"));
  expect(started.filter((file) => (statSync(file).mode & 0o100) === 0)).toEqual([]);
});

test("the nightly script knows each part of the nightly workflow", () => {
  const parts = workflows.get("nightly.yaml")!.jobs.part!.strategy!.matrix!.part!;
  const script = readFileSync(".ci/nightly", "utf8");
  expect(parts.filter((part) => !new RegExp(`^\\s*(?:[\\w-]+ ?\\| ?)*${part}\\)`, "m").test(script))).toEqual([]);
});
