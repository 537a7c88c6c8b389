// Tools that somebody else has installed: found on a search path, asked for their version once, refused when it is another.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { givenTool, names } from "../../tools/given.ts";
import type { BuiltTool } from "../../tools/table.ts";

const helm: BuiltTool = { name: "helm", folder: "", module: "x", version: "v4.2.4", package: "x", asks: ["version", "--short"] };
let folder: string;
let asked: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "home-ops-"));
  asked = [];
  for (const name of ["empty", "mine", "other"]) mkdirSync(join(folder, name));
  for (const name of ["mine", "other"]) writeFileSync(join(folder, name, "helm"), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = () => `${join(folder, "empty")}::${join(folder, "mine")}:${join(folder, "other")}`;
const mine = () => join(folder, "mine/helm");
const find = (tool = helm, says = "v4.2.4+g0123abc\n", where: string | undefined = path()) =>
  givenTool(tool, where, join(folder, "cache"), (binary, words) => {
    asked.push([binary, ...words].join(" "));
    return says;
  });

describe("a tool", () => {
  test("is the first of its name on the search path", () => expect(find()).toBe(mine()));
  test("is asked for its version once, and again when it has changed or when another is expected", () => {
    find();
    find();
    expect(asked).toEqual([`${mine()} version --short`]);
    utimesSync(mine(), 1, 1);
    find();
    expect(asked).toHaveLength(2);
    expect(() => find({ ...helm, version: "v4.2.5" })).toThrow("is not helm v4.2.5");
  });
  test("of another version is refused each time", () => {
    const line = `${mine()} is not helm v4.2.4, it says "v4.3.0": leave it out of REAL_TOOLS`;
    expect(() => find(helm, "v4.3.0\n")).toThrow(line);
    expect(() => find(helm, "v4.3.0\n")).toThrow(line);
  });
  test("that is on no such path is not given, nor is any without a path", () => {
    expect(find({ ...helm, name: "sops" })).toBeUndefined();
    expect(find(helm, "", "")).toBeUndefined();
    expect(asked).toEqual([]);
  });
  test("that is our own program is never taken from somebody else", () =>
    expect(find({ ...helm, mise: { none: "a program of our own" } })).toBeUndefined());
  test("that cannot be started is refused with the reason", () =>
    expect(() => givenTool(helm, path(), join(folder, "cache"))).toThrow(
      /is not helm v4\.2\.4, it says "spawnSync .* EACCES": leave it out of REAL_TOOLS$/,
    ));
});

test.each([
  ["v4.2.4", true],
  ["v4.2.4+g0123abc", true],
  ["Client:\nTalos v4.2.4\n", true],
  ["sops 4.2.4 (latest)", true],
  ["etcd Version: 4.2.4\nGo Version: go1.26.8", true],
  ["v4.2", false],
  ["v4.2.40", false],
  ["v4.2.4.1", false],
  ["v14.2.4", false],
  ["v4.2.4-rc.1", false],
  ["", false],
])("%j names 4.2.4: %s", (printed, yes) => expect(names(printed, "v4.2.4")).toBe(yes));
