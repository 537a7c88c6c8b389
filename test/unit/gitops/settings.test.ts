import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fluxSettings } from "../../../scripts/flux/settings.ts";
import { UsageError } from "../../../scripts/lib/errors.ts";
import { PLACES } from "../../../scripts/lib/gitops/agreement.ts";
import { record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";
import { referenceTree } from "./home.ts";

const POOL = "kubernetes/apps/kube-system/cilium/config/ciliumloadbalancerippool.yaml";
const cluster = testCluster();
cluster.network.gateways = { from: "192.168.123.110", to: "192.168.123.149" };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "settings-"));
  const tree = await referenceTree();
  for (const { file } of PLACES) {
    await mkdir(join(root, dirname(file)), { recursive: true });
    await writeFile(join(root, file), (await tree(file)) ?? "");
  }
});
afterEach(() => rm(root, { recursive: true }));

const pool = () => readFile(join(root, POOL), "utf8");

it("shows what differs, writes it, and says what is next", async () => {
  const before = await pool();
  const lab = await record({ cluster, root });
  expect(await lab.run(fluxSettings, {})).toBeUndefined();
  expect(lab.plans).toEqual([
    { title: "flux:settings: 1 value in kubernetes/", lines: [`${POOL}:9 spec.blocks[0].start: 192.168.123.101 → 192.168.123.110`] },
  ]);
  expect(await pool()).toBe(before.replace("192.168.123.101", "192.168.123.110"));
  expect(lab.said).toEqual(["wrote 1 value; Flux sees them once they are committed and pushed"]);
  expect(lab.effects.flatMap((event) => (event.event === "effect" && event.phase === "before" ? [event.what] : []))).toEqual([
    `write ${join(root, POOL)}`,
  ]);
});

it("asks nothing where nothing differs", async () => {
  const lab = await record({ root });
  await lab.run(fluxSettings, {});
  expect(lab.said).toEqual(["kubernetes/ agrees with talos/cluster.yaml"]);
  expect(lab.plans).toEqual([]);
});

it("changes nothing in a dry run, nor after a No", async () => {
  const before = await pool();
  for (const setup of [{ dryRun: true }, { yes: false }]) {
    const lab = await record({ cluster, root, ...setup });
    expect(await lab.run(fluxSettings, {})).toBeInstanceOf(Error);
    expect(lab.effects).toEqual([]);
    expect(await pool()).toBe(before);
  }
});

it("keeps what somebody wrote while the question was open", async () => {
  const lab = await record({ cluster, root });
  lab.context.ui.confirm = () => writeFile(join(root, POOL), "mine\n");
  const failure = await lab.run(fluxSettings, {});
  expect(failure).not.toBeInstanceOf(UsageError);
  expect(String(failure)).toBe(
    `Failure: could not write ${POOL}\n  said: it was changed while the question was open\n  now:  its change is kept\n  next: task flux:settings`,
  );
  expect(await pool()).toBe("mine\n");
});
