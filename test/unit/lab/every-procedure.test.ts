// Every procedure runs in the simulated home: a script without a lab test fails here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { procedures } from "../../../scripts/lab/run.ts";

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));

/** Every procedure, those of the lab too. */
const NAMES = [...procedures(), ...filesIn("scripts/lab").map((file) => `lab:${file.slice("scripts/lab/".length, -".ts".length)}`)].sort();

/** What the lab project runs: tests, and the days that they live. Tests of the simulators run no procedure. */
const TEXTS = [
  ...filesIn("test/lab").filter((file) => file.endsWith(".test.ts") && !file.includes("simulators")),
  "test/rehearsal/day.ts",
].map((file) => readFileSync(file, "utf8"));

/** Those that no text starts, by their name or by their file. */
const untested = (names: readonly string[], texts: readonly string[]) =>
  names.filter((name) => {
    const file = `scripts/${name.replace(":", "/")}.ts`;
    return !texts.some((text) => text.includes(`"${name}"`) || text.includes(`"${file}"`) || text.includes(`/${file}"`));
  });

test("all scripts are found", () => expect(NAMES).toEqual(expect.arrayContaining(["bootstrap", "flux:sync", "lab:run", "vm:deploy"])));

test("each has a lab test", () => expect(untested(NAMES, TEXTS)).toEqual([]));

test("a script that no lab test starts is named", () => expect(untested(["flux:new", "flux:sync"], TEXTS)).toEqual(["flux:new"]));
