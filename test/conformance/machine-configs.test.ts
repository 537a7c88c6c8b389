// Every machine config that the product renders, for TrueNAS and for VMware, passes the real talosctl's strict validation.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DAY, runStep, run } from "../rehearsal/day.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";
import { layoutOf } from "../simulators/control.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
let home: RunningHome;

beforeAll(async () => {
  home = await startHome({ project: PROJECT, real: true });
  for (const step of DAY.slice(0, 2)) expect(await runStep(home.folder, step)).toMatchObject({ code: 0 });
});
afterAll(() => home?.close());

it.each(["reference.yaml", "vsphere.yaml"])("%s", async (file) => {
  const cluster = readFileSync(join(PROJECT, "test/fixtures/cluster/good", file), "utf8");
  const inTwoVaults = cluster.replace(/^ {2}vault: Infrastructure$/m, "$&\n  operatorVault: Operator"); // as the home's are
  writeFileSync(join(layoutOf(home.folder).repo, "talos/cluster.yaml"), inTwoVaults);
  const { code, stderr } = await run(home.folder, "talos:validate", []);
  expect([code, stderr.trim().split("\n").at(-1)]).toEqual([0, expect.stringMatching(/^\d machine configs? are valid$/)]);
});
