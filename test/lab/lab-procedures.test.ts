// lab:up, lab:run, lab:status and lab:down, one after the other, as a person would who tries a procedure by hand.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { down } from "../../scripts/lab/down.ts";
import { run } from "../../scripts/lab/run.ts";
import { status } from "../../scripts/lab/status.ts";
import { up } from "../../scripts/lab/up.ts";
import type { Options } from "../../scripts/lib/run/options.ts";
import { runProcedure } from "../../scripts/lib/run/procedure.ts";
import { noteRun } from "./record/note-run.ts";
import type { Procedure } from "../../scripts/lib/run/spec.ts";

const state = mkdtempSync(join(tmpdir(), "lab-"));
const folder = join(state, "homes/lab");
const env = { ...process.env, HOME_OPS_STATE: state };
let said = "";
let printed = "";

async function type<O extends Options>(spec: Procedure<O>, ...words: string[]): Promise<number> {
  [said, printed] = ["", ""];
  const code = await runProcedure(spec, words, env);
  noteRun(spec.name, words, code);
  return code;
}

beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((said += String(text))));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((printed += String(text))));
});
afterAll(async () => {
  await type(down);
  vi.restoreAllMocks();
  rmSync(state, { recursive: true, force: true });
});

test("nothing is there at first, and each says what to type", async () => {
  expect(await type(status)).toBe(1);
  expect(said).toContain("next: task lab:up");
  expect(await type(run, "secrets:check")).toBe(1);
  expect(said).toContain("next: task lab:up");
  expect(await type(down)).toBe(0);
  expect(said).toContain("there is no simulated home");
});

test("a home that cannot start says why", async () => {
  expect(await type(up, "--fault", "no-such-fault")).toBe(1);
  expect(said).toContain("no fault is called no-such-fault");
});

test("up, used, looked at", async () => {
  expect(await type(up, "--fault", "node-slow,nas-busy", "--truenas", "26")).toBe(0);
  expect(said).toContain(`the simulated home is running: ${folder}`);
  expect(await type(run, "talos:schematic")).toBe(0);
  expect(await type(status, "--output", "json")).toBe(0);
  expect(JSON.parse(printed)).toMatchObject({ machines: [], faults: { "node-slow": 1, "nas-busy": 1 }, api: "down" });
  expect(readFileSync(join(folder, "spawned.ndjson"), "utf8")).toContain("scripts/talos/schematic.ts");
});

test("the person's part is a table, once", () => {
  const person = (more: NodeJS.ProcessEnv = {}) =>
    spawnSync(join(folder, "bin/home"), ["person"], { encoding: "utf8", env: { ...process.env, ...more } });
  const first = person().stdout;
  expect(first).toMatch(/^ITEM +FIELD\n/);
  expect(first).toMatch(/^cloudflare +CLOUDFLARE_DNS_TOKEN$/m);
  expect(first).toMatch(/^\d+ fields were filled in the simulated vault\n$/m);
  expect(person().stdout).toBe("every field that only a person can fetch has a value\n");
  expect(person({ OUTPUT: "json" }).stdout).toBe("[]\n");
});

test("a second home has hints with its name, takes a procedure from task, and ends alone", async () => {
  expect(await type(up, "--name", "two")).toBe(0);
  for (const hint of ["task lab:run NAME=two -- secrets:init", "task lab:status NAME=two", "task lab:down NAME=two"])
    expect(said).toContain(hint);
  // a process that is called task, so that this also runs where task is not installed
  const script = `"${process.execPath}" --import tsx scripts/lab/run.ts menu; exit $?`;
  const words = ["-c", script, "lab:run", "NAME=two", "--", "menu"];
  const ran = spawnSync("bash", words, { argv0: "task", encoding: "utf8", env: { ...env, ARG_NAME: "two" } });
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  expect(ran.stdout).toContain("task bootstrap");
  expect(await type(down, "--name", "two")).toBe(0);
  expect(await type(status)).toBe(0);
  expect(await type(status, "--name", "two")).toBe(1);
  expect(said).toContain("next: task lab:up NAME=two");
});

test("gone, with its process and its socket", async () => {
  const { pid, socket } = JSON.parse(readFileSync(join(folder, "home.json"), "utf8")) as { pid: number; socket: string };
  expect(await type(down)).toBe(0);
  expect([existsSync(folder), existsSync(socket)]).toEqual([false, false]);
  expect(() => process.kill(pid, 0)).toThrow();
});
