// The home's copy of the repository, and what is edited beside it.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readMac } from "../../../scripts/lib/cluster/readings.ts";
import { layoutOf } from "../../simulators/environment.ts";
import { editedSince, leasesOf, makeFork } from "../../simulators/fork/fork.ts";

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

it.each(["00:a0:98:28:c8:83", "00-A0-98-28-C8-83", "00A09828C883", "000098280883", "00-00-98-28-08-83"])(
  "the router gives a card its address however the MAC is written: %s",
  (typed) => {
    const cluster = join(layoutOf(home()).repo, "talos/cluster.yaml");
    writeFileSync(cluster, `nodes:\n  - name: k8s-0\n    mac: ${typed}\n    address: 192.168.122.10\n`);
    const reading = readMac(typed);
    const asked = "value" in reading ? reading.value : "none";
    expect(leasesOf(home())(asked)).toBe("192.168.122.10");
    expect(leasesOf(home())(typed)).toBe("192.168.122.10");
  },
);
