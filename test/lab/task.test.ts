// Targets through the real `task`: what is typed arrives, what is misspelt is refused, exit codes pass. Skipped where `task` is not installed.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { testWith } from "./needs.ts";

const test = testWith("task");
const task = (words: string[], cwd = process.cwd(), env: NodeJS.ProcessEnv = {}) =>
  spawnSync("task", words, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
const { tasks: file } = parse(readFileSync("Taskfile.yml", "utf8")) as { tasks: Record<string, { requires?: { vars: string[] } }> };
const targets = Object.keys(file);
/** Variables without which Task does not even start a target, but for the node. */
const requires = (name: string) => (file[name]!.requires?.vars ?? []).filter((variable) => variable !== "NODE");

describe("task", () => {
  test("alone shows at most 20 targets", () => {
    const { stdout, status } = task([]);
    expect(status).toBe(0);
    expect(stdout.split("\n").filter((line) => line.startsWith("  task ")).length).toBeLessThanOrEqual(20);
  });
  test("--list has every target, each with what it is for", () => {
    const { tasks } = JSON.parse(task(["--list", "--json"]).stdout) as { tasks: { name: string; desc: string }[] };
    expect(tasks.map(({ name }) => name).sort()).toEqual(targets.filter((name) => name !== "default").sort());
    expect(tasks.filter(({ desc }) => !desc)).toEqual([]);
  });
  test.each(targets.filter((name) => name !== "default"))("%s resolves to a script that answers", (name) => {
    const needs = requires(name).map((variable) => `${variable}=something`);
    const { stdout, stderr, status } = task(["-x", name, "NODE=k8s-0", ...needs, "--", "--help"]);
    expect(status, stderr).toBe(name.startsWith("secrets") || stderr.includes("does not take NODE=") ? status : 0);
    expect(`${stdout}${stderr}`).toContain(name);
  });
  test("passes exit codes on with -x", () => expect(task(["-x", "talos:apply", "MODE=now"]).status).toBe(64));
  test.each(["TALOS_VERSION", "TALOS_VERSON"])("refuses %s=, which it passes to no script", (name) => {
    const { stderr, status } = task(["-x", "talos:render", `${name}=v1.2.3`]);
    expect(stderr).toContain(`task talos:render does not take ${name}=: change TALOS_VERSION in versions.env`);
    expect(status).toBe(64);
  });
  test("refuses a misspelt variable before anything else", () => {
    const { stderr, status } = task(["-x", "bootstrap", "DRYRUN=1", "YES=1"]);
    expect(stderr).toContain("task bootstrap does not take DRYRUN=; did you mean DRY_RUN=?");
    expect(status).toBe(64);
  });
});

describe("a value", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "task-"));
    symlinkSync(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
    for (const file of ["scripts/start.mjs", "scripts/packages.mjs"]) cpSync(file, join(folder, file));
    writeFileSync(join(folder, "Taskfile.yml"), readFileSync("Taskfile.yml", "utf8").replace(/scripts\/talos\/apply\.ts/, "show.ts"));
    writeFileSync(
      join(folder, "show.ts"),
      "console.log(JSON.stringify([process.env.ARG_NODE, process.env.ARG_MODE, process.argv.slice(2)]));\n",
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const HARD = [
    `it's`,
    `two words`,
    `$(touch pwned)`,
    "`id`",
    `"quoted"`,
    `a\nb`,

    `back\\slash`,
    `*?[a]`,
    `;rm -rf /`,
  ];
  test.each(HARD)("%j goes through task unharmed", (value) => {
    const { stdout, stderr } = task(["talos:apply", `NODE=${value}`, "MODE=auto", "--", "--flag", value], folder);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([value, "auto", ["--flag", value]]);
  });
  test("of the person's shell does not beat the one that was typed", () => {
    expect(JSON.parse(task(["talos:apply", "NODE=k8s-1"], folder, { NODE: "k8s-0" }).stdout)[0]).toBe("k8s-1");
  });
});
