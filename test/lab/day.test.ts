// The first day in one home, step by step, with what must hold before, between and after the steps.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHome } from "../simulators/control.ts";
import { readHomeFile } from "../simulators/environment.ts";
import { DAY, finalState, runStep, type Ran, run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { violationsOf } from "../rehearsal/violations.ts";

const PROJECT = process.cwd();
let home: RunningHome;
const runs: Ran[] = [];
beforeAll(async () => void (home = await startHome({ project: PROJECT })));
afterAll(() => home?.close());

const world = () => readFileSync(join(home.folder, "world.json"), "utf8");
const changing = ["secrets:init", "talos:talosconfig", "talos:prepare-iso", "vm:deploy", "bootstrap", "bootstrap:configs", "talos:apply"];

/** A dry run of this procedure leaves the world byte for byte as it was. */
async function dry(name: string, words: string[] = []): Promise<Ran> {
  await askHome(home.folder, "settle");
  const before = world();
  const ran = await run(home.folder, name, [...words, "--dry-run"]);
  runs.push(ran);
  expect(world(), `${name} --dry-run changed the world`).toBe(before);
  expect(ran.stderr).not.toContain("a dry run tried to change something");
  return ran;
}

test("before anything is there, each step says what is missing, as one message with the next command, and changes nothing", async () => {
  for (const name of changing) {
    const ran = await dry(name);
    expect(ran.stderr, name).not.toMatch(/\bat .*\(.*:\d+:\d+\)/);
  }
});

describe.each(DAY)("task $name", (step) => {
  test("only looks in a dry run", async () => {
    if (step.person) await askHome(home.folder, "person");
    const ran = await dry(step.name, step.words);
    expect(ran.code, ran.stderr).toBe(0);
  });
  test("without a terminal and without --yes waits for nobody", async () => {
    if (!step.words.includes("--yes")) return;
    const ran = await run(
      home.folder,
      step.name,
      step.words.filter((word) => word !== "--yes"),
    );
    expect(ran.stderr).toContain("no terminal to ask on: pass YES=1 (--yes) to continue");
    expect(ran.code).toBe(64);
  });
  test("ends well", async () => {
    const ran = await runStep(home.folder, { ...step, person: false });
    runs.push(ran);
    expect(ran.code, ran.stderr).toBe(0);
  });
  test("has nothing left to do when typed again", async () => {
    await askHome(home.folder, "settle");
    const before = await askHome(home.folder, "snapshot");
    const changes = await askHome(home.folder, "changes");
    const again = await run(home.folder, step.name, step.words);
    runs.push(again);
    expect(again.code, again.stderr).toBe(0);
    expect(await askHome(home.folder, "snapshot")).toEqual(before);
    expect(await askHome(home.folder, "changes")).toBe(changes);
  });
});

test("everything that only looks leaves the world as it was", async () => {
  for (const name of [
    "talos:status",
    "talos:diff",
    "talos:render",
    "talos:validate",
    "talos:schematic",
    "talos:kubeconfig",
    "bootstrap:preflight",
    "bootstrap:flux",
    "leftovers",
    "configure",
  ]) {
    const ran = await dry(name, name === "talos:render" ? ["--node", "k8s-0"] : []);
    expect(ran.code, `${name}: ${ran.stderr}`).toBe(0);
  }
});

test("ends with three nodes Ready and all of Flux ready", async () => {
  const { nodes, flux } = await finalState(home.folder);
  expect(nodes).toBe("3/3");
  expect(flux).toMatch(/^(\d+)\/\1$/);
});

test("no secret was seen where it does not belong, nothing left this machine", async () =>
  expect(await violationsOf(home.folder, runs)).toEqual([]));

test("one op process resolves all secrets of a bootstrap", async () => {
  const told = JSON.parse(runs.filter(({ name }) => name === "bootstrap").at(-1)!.stdout) as { op: number };
  const calls = (await askHome(home.folder, "commands", { tool: "op" })) as { argv: string[] }[];
  expect(calls.filter(({ argv }) => argv[0] === "inject").length).toBeGreaterThan(0);
  expect(told.op).toBeLessThanOrEqual(3); // version, sign-in, and the one that resolves
});

test.skipIf(process.platform !== "linux")("an idle home, with all of it up, uses under 2 % of a core", async () => {
  await askHome(home.folder, "settle");
  const { pid } = readHomeFile(home.folder);
  const [before, began] = [processorMs(pid), performance.now()];
  await pause(3_000);
  expect((processorMs(pid) - before) / (performance.now() - began)).toBeLessThan(0.02);
});

/** Milliseconds of processor time that a process has used, which Linux counts in hundredths of a second. */
function processorMs(pid: number): number {
  const words = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(words[11]) + Number(words[12])) * 10;
}
