// The shape of the project that design and CONTRIBUTING.md promise: imports go one way, and every file has a folder.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cyclesOf, importsOf, readImports } from "./imports.ts";

const imports = readImports(["scripts", "test"]);
/** Every import as "importer -> imported", for those that `from` and `to` match. */
const edges = (from: RegExp, to: RegExp) =>
  [...imports].flatMap(([file, targets]) =>
    from.test(file) ? targets.filter((target) => to.test(target)).map((target) => `${file} -> ${target}`) : [],
  );

test("no module imports itself through others, not even by types or dynamically", () => expect(cyclesOf(imports)).toEqual([]));
test("scripts/lib does not import a procedure", () => expect(edges(/^scripts\/lib\//, /^scripts\/(?!lib\/).*\.ts$/)).toEqual([]));
test("only a composite procedure imports procedures", () =>
  expect(
    edges(/^scripts\/(?!lib\/).*\.ts$/, /^scripts\/(?!lib\/).*\.ts$/).filter((edge) => !edge.startsWith("scripts/bootstrap.ts ")),
  ).toEqual([]));
test("what Flux would apply does not know the rules", () => expect(edges(/^scripts\/lib\/tree\//, /^scripts\/lib\/lint\//)).toEqual([]));
test("only scripts/lab imports test/", () => expect(edges(/^scripts\/(?!lab\/)/, /^test\//)).toEqual([]));
test("the simulated world does not import what only translates", () =>
  expect(edges(/^test\/simulators\/world\//, /^test\/simulators\/(wire|cli)\//)).toEqual([]));
const looseFiles = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() ? [entry.name] : []))
    .sort();
test("scripts/lib has folders only", () => expect(looseFiles("scripts/lib")).toEqual([]));
/** Code for the simulated home as a whole; code for one outside system belongs in the folder of that system. */
test.each([
  ["test/simulators", ["control.ts", "environment.ts", "guard.mjs", "home.ts", "present.ts", "processes.ts", "verbs.ts"]],
  ["test/simulators/world", ["certificates.ts", "faults.ts", "life.ts", "person.ts", "stranger.ts", "tool.ts", "world.ts"]],
  ["test/simulators/cli", ["flags.ts", "go-errors.ts", "network.ts", "stand-in.bash", "table.ts", "tools.ts"]],
  ["test/simulators/wire", ["cli-socket.ts", "proxy.ts", "stand-ins.ts"]],
])("%s has no other file outside a folder", (folder, allowed) => expect(looseFiles(folder)).toEqual(allowed));

describe("the reader of imports", () => {
  test.each([
    ['import { a } from "./b.ts";', ["x/b.ts"]],
    ['import type { A } from "../b.ts";', ["b.ts"]],
    ['import {\n  type A,\n  b,\n} from "./c/d.ts";', ["x/c/d.ts"]],
    ['export { a } from "./b.ts";', ["x/b.ts"]],
    ['const { a } = await toAct(() => import("./b.ts"));', ["x/b.ts"]],
    ['import "./b.mjs";', ["x/b.mjs"]],
    ['await Promise.all([import("./b.ts"), import("./c.ts")]);', ["x/b.ts", "x/c.ts"]],
    ['type B = Array<import("./b.ts").B>;', ["x/b.ts"]],
    ['// import { a } from "./b.ts";', []],
    ['import { a } from "yaml";', []],
  ])("%s", (text, wanted) => expect(importsOf(text, "x/a.ts")).toEqual(wanted));
  test("finds a cycle of three and a module that imports itself", () =>
    expect(
      cyclesOf(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["a", "d"]],
          ["d", ["d"]],
          ["e", ["a"]],
        ]),
      ),
    ).toEqual(["a -> b -> c -> a", "d -> d"]));
});
