// Another process may remove a file after a check, so a file is read, and its absence is one of the results.
import { expect, test } from "vitest";
import { readdirSync, readFileSync } from "node:fs";

const CHECK = /\b(?:existsSync|statSync|lstatSync|accessSync|stat|lstat|access)\(/g;
const USE = /\b(?:readFileSync|readFile|readdirSync|readdir|openSync|open)\(/g;

/** What stands before a call whose absent file is a result, or which is an assertion. */
const HANDLED = /(?:whenPresent(?:Now)?\(|expect\()[^;]*$/;

/** The first argument of each of these calls, as text. */
function argumentsOf(code: string, call: RegExp): string[] {
  const calls = [...code.matchAll(call)].filter(({ index }) => !HANDLED.test(code.slice(Math.max(0, index - 120), index)));
  return calls.map(({ index, 0: { length } }) => {
    let depth = 0;
    let end = index + length;
    for (; end < code.length; end += 1) {
      const sign = code[end]!;
      if (depth === 0 && (sign === "," || sign === ")")) break;
      if ("([{".includes(sign)) depth += 1;
      if (")]}".includes(sign)) depth -= 1;
    }
    return code.slice(index + length, end);
  });
}

const checkedAndUsed = (code: string) => {
  const used = new Set(argumentsOf(code, USE));
  return [...new Set(argumentsOf(code, CHECK))].filter((path) => used.has(path));
};

/** The two calls are not about one file, or the caller handles the absent file. */
const ALLOWED = new Set([
  "scripts/lib/tree/files.ts: path",
  'test/lab/simulators/world.test.ts: join(folder, "world.json")',
  "test/unit/gitops/tree.ts: join(ROOT, file)",
  "test/simulators/world/charts/charts-asked.ts: file",
]);

test("the search finds a check that a read follows", () => {
  expect(checkedAndUsed('const text = existsSync(join(a, "b")) ? readFileSync(join(a, "b"), "utf8") : "";')).toEqual(['join(a, "b")']);
  expect(checkedAndUsed("if (existsSync(a)) readFileSync(b)")).toEqual([]);
});

test("no file is checked and then read", () => {
  const files = ["scripts", "test"].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => `${root}/${name}`),
  );
  const found = files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => checkedAndUsed(readFileSync(file, "utf8")).map((path) => `${file}: ${path}`));
  expect(found.filter((one) => !one.startsWith("test/unit/structure/check-then-use.test.ts") && !ALLOWED.has(one))).toEqual([]);
});
