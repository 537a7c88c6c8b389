// The home's copy of the repository, and what is edited beside it.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { layoutOf } from "../../simulators/environment.ts";
import { editedSince, makeFork } from "../../simulators/fork.ts";

let scratch: string;
const project = () => join(scratch, "project");
const home = () => join(scratch, "home");
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "fork-"));
  mkdirSync(join(project(), "talos"), { recursive: true });
  writeFileSync(join(project(), "talos/cluster.yaml"), "a: 1\n");
  writeFileSync(join(project(), "versions.env"), "X=1\n");
  makeFork(home(), project());
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** A file system may not tell two moments apart. */
const later = (file: string) => utimesSync(file, new Date(), new Date(Date.now() + 5_000));

it("nothing is edited right after the copy", () => expect(editedSince(home(), project())).toEqual([]));

it("a file that is changed or made in the working tree is named", () => {
  appendFileSync(join(project(), "talos/cluster.yaml"), "b: 2\n");
  later(join(project(), "talos/cluster.yaml"));
  writeFileSync(join(project(), "talos/schematic.yaml"), "c: 3\n");
  expect(editedSince(home(), project())).toEqual(["talos/cluster.yaml", "talos/schematic.yaml"]);
});

it("what a procedure changed in the copy is no edit of ours", () => {
  writeFileSync(join(layoutOf(home()).repo, "versions.env"), "X=2\n");
  expect(editedSince(home(), project())).toEqual([]);
});
