// With the real talosctl, another machine takes a node's address after the product has looked at it: the config does not reach that machine.
import { afterAll, beforeAll, expect, test } from "vitest";
import { DAY, runStep, run } from "../../rehearsal/day.ts";
import { startHome, type RunningHome } from "../../rehearsal/home-process.ts";
import { askHome } from "../../simulators/control.ts";

let home: RunningHome;
beforeAll(async () => {
  home = await startHome({ project: process.cwd(), real: true });
  for (const step of DAY.filter(({ name }) => name !== "bootstrap")) {
    const { code, stderr } = await runStep(home.folder, step, { broken: home.broken });
    expect(code, stderr).toBe(0);
  }
  await askHome(home.folder, "settle");
});
afterAll(() => home?.close());

const stages = async () => ((await askHome(home.folder, "status")) as { machines: { stage: string }[] }).machines.map(({ stage }) => stage);
const apply = () => run(home.folder, "talos:apply", ["--node", "k8s-0", "--yes"], { broken: home.broken });

test("a machine that was swapped after the look is sent nothing", async () => {
  await askHome(home.folder, "faults", { on: { "node-swapped": 1e9 } });
  const { code, stderr } = await apply();
  await askHome(home.folder, "faults", { off: ["node-swapped"] });
  expect([code, stderr]).toEqual([1, expect.stringContaining("no longer shows the certificate that it showed during the look")]);
  expect(await stages()).toEqual(["maintenance", "maintenance", "maintenance"]);
});

test("once it is the machine of the look again, it is installed", async () => {
  const { code, stderr } = await apply();
  expect(code, stderr).toBe(0);
});
