// lab:*: where homes lie, what is said of them, what is refused before anything is started.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { procedures, run } from "../../../scripts/lab/run.ts";
import { describe as told, status } from "../../../scripts/lab/status.ts";
import { down } from "../../../scripts/lab/down.ts";
import { up } from "../../../scripts/lab/up.ts";
import { homeFolder, lookAt } from "../../../scripts/lib/lab/simulated-home.ts";
import { readWords } from "../../../scripts/lib/run/command-line.ts";
import { record } from "../recorder.ts";

const made: string[] = [];
const folderOf = (prefix: string) => {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  made.push(folder);
  return folder;
};
const state = () => folderOf("lab-");
afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder that looks like a home whose process has this id, with something where its socket would be. */
function homeOf(pid: number, socket = join(folderOf("home-"), "s")): { HOME_OPS_STATE: string } {
  const HOME_OPS_STATE = state();
  writeFileSync(socket, "");
  const folder = join(HOME_OPS_STATE, "homes/lab");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "home.json"), JSON.stringify({ pid, socket }));
  writeFileSync(join(folder, "world.json"), "{}");
  return { HOME_OPS_STATE };
}

describe("a home's folder", () => {
  test("lies under the state folder, by name", () => expect(homeFolder("/s", "lab")).toBe("/s/homes/lab"));
  test.each(["../x", "", "A", "a/b"])("is no path: %j", (name) => expect(() => homeFolder("/s", name)).toThrow("--name (NAME=) cannot be"));
  test("tells whether its process lives", () => {
    expect(lookAt(join(homeOf(process.pid).HOME_OPS_STATE, "homes/lab"))).toMatchObject({ pid: process.pid, there: true });
    expect(lookAt(join(homeOf(2 ** 22 + 1).HOME_OPS_STATE, "homes/lab"))).toMatchObject({ pid: undefined, there: true });
    expect(lookAt("/nowhere")).toEqual({ pid: undefined, there: false, socket: undefined });
  });
  test("a process of the same number after a reboot is not the home's: its socket is gone", () => {
    const { HOME_OPS_STATE } = homeOf(process.pid);
    const folder = join(HOME_OPS_STATE, "homes/lab");
    rmSync(lookAt(folder).socket!, { recursive: true });
    expect(lookAt(folder)).toMatchObject({ pid: undefined, there: true });
  });
  test("only a socket's folder of its own is ever removed", () => {
    const elsewhere = join(state(), "s");
    expect(lookAt(join(homeOf(1, elsewhere).HOME_OPS_STATE, "homes/lab")).socket).toBeUndefined();
  });
});

describe("lab:run", () => {
  test("gives everything after the procedure's name to the procedure", () => {
    expect(readWords(run, ["--name", "two", "talos:apply", "--node", "k8s-0", "--", "x"], {})).toMatchObject({
      values: { name: "two" },
      rest: ["talos:apply", "--node", "k8s-0", "--", "x"],
    });
    expect(readWords(run, ["--dry-run", "--", "leftovers"], {})).toMatchObject({ rest: ["leftovers"], common: { dryRun: true } });
  });
  test("knows every procedure but the lab's own", () => {
    const all = procedures();
    expect(all).toEqual(expect.arrayContaining(["bootstrap", "bootstrap:etcd"]));
    expect(all.filter((name) => name.startsWith("lab:") || name.startsWith("lib:"))).toEqual([]);
  });
  test.each([
    [[], "lab:run: name a procedure: task lab:run -- talos:status"],
    [["bootstrap:etdc"], "there is no procedure bootstrap:etdc; did you mean bootstrap:etcd?"],
    [["bootstrap:etcd"], "no home is running in"],
  ])("refuses %j", async (rest, message) => {
    const lab = await record({ env: { HOME_OPS_STATE: state() } });
    lab.context.rest = rest;
    expect(String(await lab.run(run, { name: "lab" }))).toContain(message);
  });
});

describe("lab:up and lab:down", () => {
  test("leave what is as it is", async () => {
    const there = await record({ env: homeOf(process.pid) });
    await there.run(up, { name: "lab", truenas: "25.10", fault: undefined });
    expect(there.said).toEqual([expect.stringContaining("the home is already running")]);
    const gone = await record({ env: { HOME_OPS_STATE: state() } });
    await gone.run(down, { name: "lab" });
    expect([gone.said, gone.effects]).toEqual([[expect.stringContaining("there is no simulated home in")], []]);
  });
  test("only tell in a dry run", async () => {
    const lab = await record({ env: homeOf(process.pid), dryRun: true });
    await lab.run(down, { name: "lab" });
    expect(lab.plans).toMatchObject([{ title: "lab:down lab", lines: [`end process ${process.pid}`, expect.stringMatching(/^remove /)] }]);
    const fresh = await record({ env: { HOME_OPS_STATE: state() }, dryRun: true });
    await fresh.run(up, { name: "lab", truenas: "26", fault: undefined });
    expect(fresh.plans).toMatchObject([{ title: "lab:up lab" }]);
  });
});

test("lab:down of a home that was killed removes its folder and its socket's", async () => {
  const env = homeOf(2 ** 22 + 1);
  const folder = join(env.HOME_OPS_STATE, "homes/lab");
  const { socket } = lookAt(folder);
  const lab = await record({ env });
  await lab.run(down, { name: "lab" });
  expect([existsSync(folder), existsSync(socket!), lab.said]).toEqual([false, false, [`the simulated home was removed: ${folder}`]]);
});

describe("lab:status", () => {
  test("asks the home", async () => {
    const env = homeOf(process.pid);
    const seen = { machines: [], api: "down", faults: {}, vault: { items: [] } };
    const lab = await record({ env, answers: { [join(env.HOME_OPS_STATE, "homes/lab/bin/home")]: JSON.stringify(seen) } });
    await lab.run(status, { name: "lab" });
    expect([lab.commands, lab.results]).toEqual([[`ask ${join(env.HOME_OPS_STATE, "homes/lab/bin/home")} status`], [seen]]);
  });
  test("says when none is up", async () =>
    expect(String(await (await record({ env: { HOME_OPS_STATE: state() } })).run(status, { name: "lab" }))).toContain("task lab:up"));
  test("shows machines, the cluster, the vault and faults", () =>
    expect(
      told({
        machines: [{ vm: "k8s_0", address: "192.168.122.10", hostname: "k8s-0", stage: "running", talos: "v1.13.9", etcd: true }],
        api: "up",
        faults: { "node-slow": 1 },
        vault: { items: ["talos", "sops"] },
      }).split("\n"),
    ).toEqual([
      "VM     NODE   ADDRESS         STAGE    TALOS    ETCD    SAYS",
      "k8s_0  k8s-0  192.168.122.10  running  v1.13.9  member  -",
      "",
      "Kubernetes API: up",
      "1Password:      talos, sops",
      "faults:         node-slow",
    ]));
});
