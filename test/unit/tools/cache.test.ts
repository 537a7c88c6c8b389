// Where built tools are: a key for all that a build depends on, and for nothing else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { binFolder, cacheFolder, keyOf, placesOf } from "../../tools/cache.ts";
import type { BuiltTool } from "../../tools/table.ts";

const GO = "go1.26.8 linux amd64";
let folder: string;
let tool: BuiltTool;
const module = (where: string) => {
  mkdirSync(join(where, "sub"), { recursive: true });
  writeFileSync(join(where, "go.mod"), "module x\n");
  writeFileSync(join(where, "go.sum"), "x v1 h1:=\n");
  writeFileSync(join(where, "sub/main.go"), "package main\n");
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "home-ops-"));
  module(join(folder, "a"));
  tool = { name: "a", folder: join(folder, "a"), module: "x", version: "v1.0.0", package: "x/cmd/a", ldflags: "-X main.v=1" };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [{ HOME_OPS_TOOLS: "/tools", XDG_CACHE_HOME: "/xdg" }, "/tools"],
  [{ XDG_CACHE_HOME: "/xdg" }, "/xdg/home-ops-tools"],
  [{ HOME_OPS_TOOLS: "", XDG_CACHE_HOME: "" }, join(homedir(), ".cache/home-ops-tools")],
])("with %j the cache is %s", (env, cache) => expect(cacheFolder(env)).toBe(cache));

describe("a key", () => {
  test("is twelve letters and the same again", () => {
    expect(keyOf(tool, GO)).toMatch(/^[0-9a-f]{12}$/);
    expect(keyOf(tool, GO)).toBe(keyOf({ ...tool }, GO));
  });
  test("does not depend on where the tree is, nor on what is said about the tool", () => {
    module(join(folder, "b"));
    expect(keyOf({ ...tool, folder: join(folder, "b"), differs: "because", mise: "other", asks: ["--version"] }, GO)).toBe(keyOf(tool, GO));
  });
  test.each<[string, () => string]>([
    ["Go's version", () => keyOf(tool, "go1.26.9 linux amd64")],
    ["the platform", () => keyOf(tool, "go1.26.8 linux arm64")],
    ["the linker's flags", () => keyOf({ ...tool, ldflags: "-X main.v=2" }, GO)],
    ["the main package", () => keyOf({ ...tool, package: "x/cmd/b" }, GO)],
    ["what is embedded", () => keyOf({ ...tool, embeds: "none.yaml" }, GO)],
    ["go.sum", () => (writeFileSync(join(tool.folder, "go.sum"), "x v2 h1:=\n"), keyOf(tool, GO))],
    ["go.mod", () => (writeFileSync(join(tool.folder, "go.mod"), "module y\n"), keyOf(tool, GO))],
    ["a source", () => (writeFileSync(join(tool.folder, "sub/main.go"), "package main // other\n"), keyOf(tool, GO))],
    ["a new source", () => (writeFileSync(join(tool.folder, "more.go"), "package main\n"), keyOf(tool, GO))],
  ])("is another with another of: %s", (_what, other) => {
    const before = keyOf(tool, GO);
    expect(other()).not.toBe(before);
  });
});

describe("a place", () => {
  const alone = { go: () => GO, given: () => undefined };
  const env = { HOME_OPS_TOOLS: "/cache" };
  test("is a folder of its own, with a binary of the tool's name in it", () => {
    const key = keyOf(tool, GO);
    const folder = `/cache/built/a-${key}`;
    expect(placesOf([tool], env, alone)).toEqual([{ tool, given: false, key, folder, binary: `${folder}/a` }]);
  });
  test("is where somebody else has put it, and then nobody asks for Go", () => {
    const go = () => {
      throw new Error("Go is not installed");
    };
    expect(placesOf([tool], env, { go, given: () => "/theirs/a" })).toEqual([
      { tool, given: true, key: "/theirs/a", folder: "/theirs", binary: "/theirs/a" },
    ]);
    expect(() => placesOf([tool], env, { go, given: () => undefined })).toThrow("Go is not installed");
  });
  test("of all together is a folder with another name as soon as one tool is another", () => {
    const now = binFolder(placesOf([tool], env, alone), "/cache");
    expect(now).toMatch(/^\/cache\/bin-[0-9a-f]{12}$/);
    expect(binFolder(placesOf([{ ...tool, ldflags: "" }], env, alone), "/cache")).not.toBe(now);
    expect(binFolder(placesOf([tool], env, { go: () => GO, given: () => "/theirs/a" }), "/cache")).not.toBe(now);
  });
});
