// What of the simulated world is on disk, and when.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWorld, type State } from "../../simulators/world/world.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "world-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openWorld(folder, () => ({ faults: {} }) as unknown as State);
const onDisk = () => (JSON.parse(readFileSync(join(folder, "world.json"), "utf8")) as State).faults;
const inode = () => statSync(join(folder, "world.json")).ino;

test("what the product changes is there before it goes on", () => {
  open().change("product", "x", ({ faults }) => void (faults["node-slow"] = 1));
  expect(onDisk()).toEqual({ "node-slow": 1 });
});

test("what the world does by itself in one moment is written once, a moment later", async () => {
  const world = open();
  const before = inode();
  world.change("world", "x", ({ faults }) => void (faults["node-slow"] = 1));
  world.change("world", "y", ({ faults }) => void (faults["helm-stuck"] = 2));
  expect([onDisk(), inode() === before]).toEqual([{}, true]);
  await turn();
  expect(onDisk()).toEqual({ "node-slow": 1, "helm-stuck": 2 });
});

test("it is written with what the product changes next, and not a second time", async () => {
  const world = open();
  world.change("world", "x", ({ faults }) => void (faults["node-slow"] = 1));
  world.change("product", "y", ({ faults }) => void (faults["helm-stuck"] = 2));
  expect(onDisk()).toEqual({ "node-slow": 1, "helm-stuck": 2 });
  const before = inode();
  await turn();
  expect(inode()).toBe(before);
});

test("a folder that is gone stays gone", async () => {
  open().change("world", "x", ({ faults }) => void (faults["node-slow"] = 1));
  rmSync(folder, { recursive: true });
  await turn();
  expect(existsSync(folder)).toBe(false);
});
