// Every machine config that the product renders, for TrueNAS and for VMware, passes the real talosctl's strict validation.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DAY, live, lodge, type Lodging, run } from "../rehearsal/day.ts";
import { layoutOf } from "../simulators/control.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
let home: Lodging;

beforeAll(async () => {
  home = await lodge({ project: PROJECT, real: true });
  for (const step of DAY.slice(0, 2)) expect(await live(home.folder, step)).toMatchObject({ code: 0 });
});
afterAll(() => home?.close());

it.each(["reference.yaml", "vsphere.yaml"])("%s", async (file) => {
  const cluster = readFileSync(join(PROJECT, "test/fixtures/cluster/good", file), "utf8");
  const inTwoVaults = cluster.replace(/^ {2}vault: Infrastructure$/m, "$&\n  operatorVault: Operator"); // as the home's are
  writeFileSync(join(layoutOf(home.folder).repo, "talos/cluster.yaml"), inTwoVaults);
  const { code, stderr } = await run(home.folder, "talos:validate", []);
  expect([code, stderr.trim().split("\n").at(-1)]).toEqual([0, expect.stringMatching(/^\d machine configs? are valid$/)]);
});
