// Finding the real tools: where they are, or one line that says how to get them. Nothing is built.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { placesOf } from "../../tools/cache.ts";
import { readTable } from "../../tools/table.ts";
import { linkAll } from "../../tools/missing.ts";
import { builtTools, whereTools } from "../../tools/find.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "home-ops-"));
  for (const name of ["helm", "sops"]) {
    mkdirSync(join(root, "test/tools", name), { recursive: true });
    writeFileSync(join(root, "test/tools", name, "go.mod"), "");
  }
  const row = "{ module: x, version: v1.0.0, package: x }";
  writeFileSync(join(root, "test/tools/tools.yaml"), `built:\n  helm: ${row}\n  sops: ${row}\n`);
  mkdirSync(join(root, "theirs"));
  mkdirSync(join(root, "bin"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (file: string, text: string) => {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
};
const env = (more: NodeJS.ProcessEnv = {}) => ({ HOME_OPS_TOOLS: join(root, "cache"), PATH: join(root, "bin"), ...more });
const withGo = () => put(join(root, "bin/go"), "#!/bin/sh\necho go1.26.8; echo linux; echo amd64\n");

test("without Go and without REAL_TOOLS it says what to do", () =>
  expect(() => builtTools(env(), root)).toThrow("Go is not installed: install Go"));

test("what was not built is one line, and so is a name that is no tool", () => {
  withGo();
  const tools = builtTools(env(), root);
  expect(() => tools.bin("helm")).toThrow("real tools are missing: helm; npm run tools:build builds them");
  expect(() => tools.all).toThrow("real tools are missing: helm, sops; npm run tools:build builds them");
  expect(() => tools.folder).toThrow("the folder of the real tools is missing");
  expect(() => tools.bin("nomad")).toThrow("nomad is no tool of test/tools/tools.yaml");
});

test("what was built is found, one by one, all, and as a folder", async () => {
  withGo();
  const places = placesOf(readTable(root), env());
  for (const { binary } of places) put(binary, "");
  mkdirSync(join(root, "cache"), { recursive: true });
  const folder = await linkAll(places, join(root, "cache"));
  const tools = builtTools(env(), root);
  expect(tools.bin("sops")).toBe(places[1]!.binary);
  expect(tools.all).toEqual({ helm: places[0]!.binary, sops: places[1]!.binary });
  expect(tools.folder).toBe(folder);
});

test("what somebody else has installed is taken, and where that is all, Go is not asked for", () => {
  const theirs = { helm: join(root, "theirs/helm"), sops: join(root, "theirs/sops") };
  for (const file of Object.values(theirs)) put(file, "");
  expect(builtTools(env({ REAL_TOOLS: join(root, "theirs") }), root).all).toEqual(theirs);
});

test("another process is told where the tools are, by absolute paths, and nothing else of the environment", () =>
  expect(whereTools({ REAL_TOOLS: "bin:/opt/bin:", HOME_OPS_TOOLS: "", XDG_CACHE_HOME: "/cache", OP_SERVICE_ACCOUNT_TOKEN: "x" })).toEqual({
    REAL_TOOLS: `${join(process.cwd(), "bin")}:/opt/bin`,
    XDG_CACHE_HOME: "/cache",
  }));
