// What the README shows is what a newcomer sees.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";

const top = readFileSync("README.md", "utf8").split("\n").slice(0, 40);
const shown = top.join("\n").match(/```console\n([\s\S]*?)```/)![1]!;
const [rehearsal = "", tests = ""] = shown.split(/^\$ .*\n/m).slice(1);

/** Numbers, times, generated names and column padding differ from run to run. */
const alike = (text: string) =>
  text
    .replace(/age1[a-z0-9]+…/g, "age1…")
    .replace(/rehearsal-[A-Za-z0-9]+/g, "rehearsal-x")
    .replace(/\d+\.\d s/g, "n s")
    .replace(/\d+ commands, \d+ of them/g, "n commands, n of them")
    .replace(/[ ]+/g, " ")
    .trim();

describe("the first 40 lines of the README", () => {
  test("show the two commands", () => expect(shown.match(/^\$ .*/gm)).toEqual(["$ npm ci && npm run rehearse", "$ npm ci && npm test"]));
  test("show what the rehearsal prints", () => {
    const TMPDIR = dirname(tmpdir()); // the table shortens paths, and a newcomer's temporary folder is not inside that of a test run
    const { stdout, stderr, status } = spawnSync("npm", ["run", "--silent", "rehearse"], {
      encoding: "utf8",
      env: { ...process.env, TMPDIR },
    });
    expect(status, stderr).toBe(0);
    expect(alike(stdout)).toBe(alike(rehearsal));
  });
  test("fit into 80 columns where they show output", () => expect(shown.split("\n").filter((line) => line.length > 80)).toEqual([]));
  test("show how the tests end", () => {
    const steps = [...readFileSync("test/all.mjs", "utf8").matchAll(/^ {2}\[\s*"([a-z ]+)",/gm)].map(([, name]) => name);
    expect(
      tests
        .trim()
        .split("\n")
        .slice(0, -1)
        .map((line) => line.replace(/ \(.*/, "")),
    ).toEqual(steps.map((name) => `ok: ${name}`));
    expect(tests.trim().split("\n").at(-1)).toMatch(/^\d+ passed, 0 failed$/);
  });
});
