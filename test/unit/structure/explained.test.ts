// A command that fails must say what it was for. Each one is read with .nothrow(), or runs inside explained().
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** A tagged template of `ask` or `$`, with its options, and the methods called on it. */
const COMMAND =
  /(?<![\w`])(?:access\.)?(?:ask|\$)(?:\(\{[^`]*?\}\))?`([a-z$](?:[^`$]|\$(?!\{)|\$\{(?:[^`}]|`[^`]*`)*\})*)`((?:\.\w+\(\))*)/g;
/** How far before a command its explained() may begin, in characters. */
const NEAR = 420;

/** `file: command` of each command that throws outside of explained(). */
const unexplained = (file: string, text: string): string[] =>
  [...text.matchAll(COMMAND)].flatMap(({ index, 1: command = "", 2: methods = "" }) => {
    const line = text.slice(text.lastIndexOf("\n", index) + 1, index).trim();
    if (/^(\*|\/\/|\/\*)/.test(line) || methods.includes(".nothrow()")) return [];
    return text.slice(Math.max(0, index - NEAR), index).includes("explained(") ? [] : [`${file}: ${command.slice(0, 50)}`];
  });

const ALLOWED = [
  "scripts/bootstrap/crds.ts: helmfile --file ${HELMFILE} --quiet template --inc", // its caller prints helm's own errors
  "scripts/bootstrap/resources.ts: cat | kubectl apply --server-side --force-conflict", // the function is called inside explained()
];

test("every command is explained", () => {
  const files = execFileSync("git", ["ls-files", "scripts"], { encoding: "utf8" }).split("\n");
  const found = files.filter((file) => file.endsWith(".ts")).flatMap((file) => unexplained(file, readFileSync(file, "utf8")));
  expect(found.sort()).toEqual(ALLOWED);
});

test("the reader of commands finds one that is not", () => {
  const command = "ask`git status`.text()";
  expect(unexplained("a.ts", `const a = await ${command};`)).toEqual(["a.ts: git status"]);
  expect(unexplained("a.ts", `explained(account, () => ${command});`)).toEqual([]);
  expect(unexplained("a.ts", "const a = await access.$({ input })`cat | kubectl apply`.nothrow();")).toEqual([]);
});
