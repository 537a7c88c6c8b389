// Every command line of ours that stands in a workflow, a hook or a page is read as the procedure itself would read it: a flag that is not there fails here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readWords } from "../../scripts/lib/run/command-line.ts";
import type { Procedure } from "../../scripts/lib/run/spec.ts";

const below = (folder: string, ending: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));
const FILES = [
  ...below(".github/workflows", ".yaml"),
  ...below("docs", ".md"),
  ".ci/run",
  ".ci/nightly",
  "README.md",
  "lefthook.yml",
  "package.json",
];

interface Line {
  file: string;
  script: string;
  words: string[];
}

/** The scripts that a text starts, with their words: until the end of the line, of the code, or of the command. */
function linesOf(file: string, text: string): Line[] {
  const direct = [...text.matchAll(/(?<![\w./])(scripts\/(?!lib\/)[\w/-]+\.ts)((?: [^\s`|;&>),]+)*)/g)].map(([, script, words]) => ({
    script: script!,
    words: words!,
  }));
  const rehearsals = [...text.matchAll(/npm run (?:--silent )?rehearse --((?: (?:"[^"]*"|[^\s`|;&>),])+)+)/g)].map(([, words]) => ({
    script: "scripts/lab/rehearse.ts",
    words: words!,
  }));
  return [...direct, ...rehearsals].map(({ script, words }) => ({ file, script, words: split(words) }));
}

/** Words as a shell has them; what it would put in (`$(…)`, `{1}`) stays as it stands. */
const split = (words: string) =>
  [...words.matchAll(/"([^"]*)"|([^\s"]+)/g)].map(([, quoted, bare]) => quoted ?? bare!).filter((word) => !word.startsWith("…"));

/** Values that pages have in capitals (`--fault NAME`) are any value. */
const read = async ({ script, words }: Omit<Line, "file">) => {
  const exported = Object.values((await import(join(process.cwd(), script))) as Record<string, unknown>);
  const name = script.replace(/^scripts\//, "").replace(/\.ts$/, "").replace("/", ":"); // prettier-ignore
  const spec = exported.find((one) => (one as Procedure | undefined)?.name === name) as Procedure;
  const given = spec.options;
  const any = Object.fromEntries(Object.entries(given).map(([flag, option]) => [flag, { ...option, read: loosely(option, words) }]));
  return readWords({ ...spec, options: any }, words, {});
};

/** A flag that a task's variable gives is not missing on the line, and a placeholder has the value's place. */
const loosely =
  ({ read, required }: Procedure["options"][string], words: string[]) =>
  (typed: string | boolean | undefined, flag: string) =>
    (typed === undefined && required && !words.includes("--help")) || /^[A-Z]+$|^\$/.test(String(typed)) ? undefined : read(typed, flag);

const lines = FILES.flatMap((file) => linesOf(file, readFileSync(file, "utf8")));

describe("command lines", () => {
  test("are found in workflows, hooks, pages and the gate", () =>
    expect([...new Set(lines.map(({ file }) => file))]).toEqual(
      expect.arrayContaining([".github/workflows/kubernetes.yaml", "lefthook.yml", ".ci/run", "README.md", "package.json"]),
    ));
  test("with a flag that the procedure does not have are refused", () =>
    expect(read(linesOf("x", "run: npx tsx scripts/lint/kubernetes.ts --annotations")[0]!)).rejects.toThrow(
      "lint:kubernetes: Unknown option '--annotations'",
    ));
  test("with a value that the flag does not know are refused", () =>
    expect(read(linesOf("x", "`scripts/lint/kubernetes.ts --report gitlab`")[0]!)).rejects.toThrow(
      '--report (REPORT=) does not know "gitlab"',
    ));
  test.each(lines.map((line) => [line.file, line.script, line.words.join(" "), line] as const))(
    "%s: %s %s",
    async (_file, _script, _words, line) => {
      await expect(read(line)).resolves.toBeDefined();
    },
  );
});
