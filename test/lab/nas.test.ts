// The product's own procedures and client against the simulated TrueNAS, at its wire, on every version: happy, refused, cut off, and asked again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { reference } from "../../scripts/lib/cluster/cluster.ts";
import { openGate } from "../../scripts/lib/run/effects.ts";
import { silentReport } from "../../scripts/lib/run/report.ts";
import { connectNas, type Nas } from "../../scripts/lib/truenas/nas.ts";
import { UnknownOutcome } from "../../scripts/lib/truenas/refusal.ts";
import { findPool, findVm, ownerOf, readBridges, readDatasets } from "../../scripts/lib/truenas/queries.ts";
import { useClock } from "../../scripts/lib/run/wait.ts";
import { leftovers } from "../../scripts/leftovers.ts";
import { prepareIso } from "../../scripts/talos/prepare-iso.ts";
import { deploy } from "../../scripts/vm/deploy.ts";
import { createAuthority, fingerprint } from "../simulators/world/certificates.ts";
import { openFactory } from "../simulators/wire/factory/factory.ts";
import { publicHosts, serveProxy } from "../simulators/wire/proxy.ts";
import { serveTrueNas, type TrueNas } from "../simulators/wire/truenas/truenas.ts";
import { freshFactory } from "../simulators/world/talos/factory.ts";
import type { Fault } from "../simulators/world/faults.ts";
import { freshNas } from "../simulators/world/nas/nas.ts";
import { RELEASES } from "../simulators/world/nas/machines.ts";
import { openWorld, type State, type World } from "../simulators/world/world.ts";
import { record, type Recording } from "../unit/recorder.ts";
import { testCluster } from "../unit/test-cluster.ts";

const ID = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
vi.mock("../../scripts/lib/talos/schematic.ts", () => ({
  readSchematic: async () => ({ id: ID, canonical: "customization: {}\n", text: "customization: {}\n", extensions: [], secureboot: false }),
}));

const cluster = testCluster();
const HASTE = 20; // waiting goes so many times faster, its deadlines too
const VERSIONS = ["25.04.2", "25.10", "26"];

interface Lab {
  world: World;
  /** A fresh run's context, as a person at the same home would have it. */
  run(): Promise<Recording>;
  connect(secrets?: Record<string, string>): Promise<Nas>;
  server: TrueNas;
  pin: string;
  ca: string;
  close(): Promise<void>;
}

async function openLab(release: string, faults: Partial<Record<Fault, number>> = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "nas-"));
  const version = RELEASES[release]!;
  const world = openWorld(
    folder,
    () => ({ nas: freshNas({ version }), machines: {}, cluster: {}, vault: {}, factory: freshFactory(), faults }) as unknown as State,
  );
  const pair = createAuthority({ subject: { commonName: "truenas.home" }, days: 1, hosts: ["127.0.0.1"], use: ["server"] });
  const server = await serveTrueNas(world, { key: pair.key, cert: pair.cert, version });
  const authority = createAuthority({ subject: { commonName: "lab" }, days: 1 });
  const proxy = await serveProxy(world, { authority, hosts: { ...publicHosts(), ...openFactory(world) }, down: () => false });
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, authority.cert);
  const { username, key } = world.state.nas.card;
  const field = (name: string) => reference(cluster, "nas", name);
  const pin = fingerprint(pair.cert);
  const secrets = (more: Record<string, string> = {}) => ({
    [field("TRUENAS_HOST")]: `127.0.0.1:${server.port}`,
    [field("TRUENAS_USERNAME")]: username,
    [field("TRUENAS_API")]: key,
    [field("TRUENAS_CERTIFICATE")]: pin,
    ...Object.fromEntries(Object.entries(more).map(([name, value]) => [field(name), value])),
  });
  const open = async (more?: Record<string, string>) => {
    const lab = await record({ secrets: secrets(more), env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, SSL_CERT_FILE: ca } });
    useClock({ now: () => performance.now() * HASTE, sleep: (ms, signal) => pause(ms / HASTE, undefined, { signal }) });
    return lab;
  };
  const ledger: Recording["ledger"] = [];
  return {
    world,
    server,
    pin,
    ca: pair.cert,
    async run() {
      const lab = await open();
      lab.ledger.push(...ledger);
      const run: Recording["run"] = async (spec, values) => {
        const ended = await lab.run(spec, values);
        ledger.splice(0, ledger.length, ...lab.ledger);
        return ended;
      };
      return { ...lab, run };
    },
    connect: async (more) => connectNas((await open(more)).context),
    async close() {
      await Promise.all([server.close(), proxy.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}

let lab: Lab;
beforeEach(() => openGate(silentReport, false));
afterEach(() => lab?.close());

const ALL = { node: undefined, "generate-iso": true };
const effectsOf = ({ effects }: Recording) =>
  effects.flatMap((event) => (event.event === "effect" && event.phase === "before" && event.door === "nas" ? [event.what] : []));
const states = async () => {
  const nas = await lab.connect();
  const vms = await nas.ask<{ name: string; status: { state: string }; devices: unknown[] }[]>("vm.query", [[], {}]);
  await nas.close();
  return vms.map(({ name, status, devices }) => `${name} ${status.state} ${devices.length}`).sort();
};
const RUNNING = ["k8s_0 RUNNING 4", "k8s_1 RUNNING 4", "k8s_2 RUNNING 4"];

describe.each(VERSIONS)("TrueNAS %s", (version) => {
  test("the ISO is made once, the VMs are made once, and a second run finds all of it there", async () => {
    lab = await openLab(version);
    const first = await lab.run();
    expect(await first.run(prepareIso, {})).toBeUndefined();
    expect(await first.run(deploy, { ...ALL, "generate-iso": false })).toBeUndefined();
    expect(await states()).toEqual(RUNNING);
    const second = await lab.run();
    expect(await second.run(prepareIso, {})).toBeUndefined();
    expect(await second.run(deploy, ALL)).toBeUndefined();
    expect(effectsOf(second)).toEqual([]);
    expect(second.ledger).toEqual([]);
  });

  test("reads have one shape", async () => {
    lab = await openLab(version);
    const nas = await lab.connect();
    expect(await readBridges(nas)).toContain("br0");
    expect((await readDatasets(nas, ["flashstor/VM", "flashstor/none"])).get("flashstor/VM")?.available).toBeGreaterThan(0);
    expect(await findVm(nas, "nobody")).toBeUndefined();
    await nas.close();
  });

  test.each<[Fault, number]>([
    ["nas-drops-socket", 3],
    ["nas-loses-reply", 5],
    ["nas-busy", 5],
    ["nas-idle-cut", 1],
  ])("%s: it passes, and nothing is made twice", async (fault, times) => {
    lab = await openLab(version, { [fault]: times });
    const run = await lab.run();
    const ended = await run.run(deploy, ALL);
    expect(ended, String(ended)).toBeUndefined();
    expect(await states()).toEqual(RUNNING);
    expect(run.ledger).toEqual([]);
    expect(lab.world.has(fault)).toBe(fault === "nas-idle-cut"); // which is a state, the others strike
  });

  test.each<[Fault, RegExp]>([
    ["nas-full-pool", /80 %|space/i],
    ["nas-device-refused", /k8s-\d: could not vm\.device\.create/],
    ["nas-start-refused", /memory/i],
  ])("%s: it stops with the reason, and the same command goes on once mended", async (fault, words) => {
    lab = await openLab(version, { [fault]: 1 });
    const stopped = await (await lab.run()).run(deploy, ALL);
    expect(String(stopped)).toMatch(words);
    lab.world.change("world", "mended", (state) => void (state.faults = {}));
    const again = await lab.run();
    expect(await again.run(deploy, ALL)).toBeUndefined();
    expect(await states()).toEqual(RUNNING);
    expect(again.ledger).toEqual([]);
  });
});

test("an upload does not begin after Ctrl-C", async () => {
  lab = await openLab("25.10");
  const nas = await lab.connect();
  const stop = new AbortController();
  const late = nas.withSignal(stop.signal);
  let read = 0;
  const bytes = async function* () {
    read += 1;
    yield Buffer.from("x");
  };
  stop.abort(new Error("interrupted by SIGINT"));
  const upload = late.upload({ path: "/mnt/flashstor/ISO/late.iso", size: 1, bytes: bytes(), what: "late.iso" });
  await expect(upload).rejects.toThrow("interrupted by SIGINT");
  expect(read).toBe(0);
  expect(await nas.ask("filesystem.listdir", ["/mnt/flashstor/ISO"])).toEqual([]);
  await nas.close();
});

test("Ctrl-C in the middle of a VM: what was made of it goes, what runs stays", async () => {
  lab = await openLab("26");
  const run = await lab.run();
  const stop = new AbortController();
  const context = {
    ...run.context,
    signal: stop.signal,
    report: {
      ...run.context.report,
      write: (event: object) =>
        void (JSON.stringify(event).includes("vm.device.create k8s_1 NIC") && stop.abort(new Error("interrupted by SIGINT"))),
    },
  };
  openGate(context.report, false);
  await expect(deploy.run(ALL, context)).rejects.toThrow("interrupted by SIGINT");
  expect((await states()).filter((state) => !state.includes("RUNNING"))).toEqual([]);
  expect(await states()).not.toContain("k8s_1");
  expect(run.ledger).toEqual([]);
});

describe("a connection that goes on", () => {
  beforeEach(async () => void (lab = await openLab("25.10")));

  test("after a login that was dropped without a word", async () => {
    const nas = await lab.connect();
    lab.server.dropLogins();
    expect(await nas.ask("vm.query", [[], {}])).toEqual([]);
    await nas.close();
  });

  test("after a restart of the middleware", async () => {
    const nas = await lab.connect();
    lab.server.restart();
    expect(await nas.ask("vm.query", [[], {}])).toEqual([]);
    await nas.close();
  });

  test("a job that the restarted middleware has forgotten ends unknown, not well", async () => {
    expect(await (await lab.run()).run(deploy, { ...ALL, node: ["k8s-0"] })).toBeUndefined();
    const nas = await lab.connect();
    const { id } = (await findVm(nas, "k8s_0"))!;
    const stopping = nas.act("vm.stop", [id, { force: false, force_after_timeout: false }], { what: "k8s_0" });
    setTimeout(() => lab.server.restart(), 50);
    await expect(stopping).rejects.toThrow(UnknownOutcome);
    await nas.close();
  });

  test("a job that ends well returns its result, one that fails its reason", async () => {
    expect(await (await lab.run()).run(deploy, { ...ALL, node: ["k8s-0"] })).toBeUndefined();
    const nas = await lab.connect();
    const { id } = (await findVm(nas, "k8s_0"))!;
    const stop = () => nas.act("vm.stop", [id, { force: false, force_after_timeout: true }], { what: "k8s_0" });
    expect(await stop()).toBeNull();
    expect((await findVm(nas, "k8s_0"))!.status.state).toBe("STOPPED");
    await expect(stop()).rejects.toThrow("could not vm.stop k8s_0\n  said: [EFAULT] VM state is currently not");
    await nas.close();
  });
});

describe.each(VERSIONS)("leftovers on TrueNAS %s", (version) => {
  const ZVOLS = ["flashstor/VM/k8s_0-boot", "flashstor/VM/k8s_0-data"];
  const VOLSIZE = 100 * 1024 ** 3;
  /** What a run leaves that was killed after it made two zvols, one of which somebody has used since. */
  const killed = async () => {
    lab = await openLab(version);
    const nas = await lab.connect();
    const run = await lab.run();
    for (const name of ZVOLS) {
      await nas.act("pool.dataset.create", [{ name, type: "VOLUME", volsize: VOLSIZE, sparse: true }], { what: name });
      await run.context.ledger.open({ kind: "zvol", name, owner: ownerOf((await findPool(nas, "flashstor"))!), procedure: "vm:deploy", facts: { node: "k8s-0", volsize: VOLSIZE } }); // prettier-ignore
    }
    await nas.close();
    const used = lab.world.state.nas.datasets.find(({ name }) => name === ZVOLS[1])!.guid;
    lab.world.change("world", "Talos is installed", ({ machines }) => void (machines.other = { installed: { disk: used } } as never));
    return run;
  };
  const left = async () => {
    const nas = await lab.connect();
    const found = await readDatasets(nas, ZVOLS);
    await nas.close();
    return [...found.keys()].sort();
  };

  test("a zvol with data stays, an empty one goes", async () => {
    const run = await killed();
    await run.run(leftovers, { undo: false, name: undefined });
    expect(run.results[0]).toMatchObject([
      { name: ZVOLS[0], verdict: "safe" },
      { name: ZVOLS[1], verdict: "kept", why: expect.stringMatching(/^it holds \d+ MB$/) },
    ]);
    expect(await run.run(leftovers, { undo: true, name: undefined })).toBeUndefined();
    expect(run.plans[0]!.destroys).toEqual({ what: [`zvol ${ZVOLS[0]}`], name: ZVOLS[0] });
    expect(await left()).toEqual([ZVOLS[1]]);
    expect(run.ledger.map(({ name }) => name)).toEqual([ZVOLS[1]]);
  });

  test("a start that was refused never took place: what this run made is removed, and nothing says that it was started", async () => {
    lab = await openLab(version, { "nas-start-refused": 3 });
    const run = await lab.run();
    expect(String(await run.run(deploy, { ...ALL, node: ["k8s-0"] }))).toMatch(/memory/i);
    expect(await states()).toEqual([]);
    expect(run.ledger).toEqual([]);
  });
});

describe("who the NAS is", () => {
  beforeEach(async () => void (lab = await openLab("25.10")));

  test.each([
    ["a pinned fingerprint", () => lab.pin],
    ["a fingerprint without colons", () => lab.pin.replaceAll(":", "").toLowerCase()],
    ["a CA", () => lab.ca],
  ])("is proved by %s", async (_, certificate) => {
    const nas = await lab.connect({ TRUENAS_CERTIFICATE: certificate() });
    expect(nas.api).toMatch(/^v25\.10/);
    await nas.close();
  });

  test("another certificate is refused before the key is sent; the message shows it and how to store it", async () => {
    await expect(lab.connect({ TRUENAS_CERTIFICATE: "AB".repeat(32) })).rejects.toThrow(`SHA-256 fingerprint seen: ${lab.pin}`);
    await expect(lab.connect({ TRUENAS_CERTIFICATE: "AB".repeat(32) })).rejects.toThrow(
      `op item edit talosdeploy --vault Infrastructure TRUENAS_CERTIFICATE=${lab.pin}`,
    );
  });

  test("another CA is refused", async () => {
    await expect(lab.connect({ TRUENAS_CERTIFICATE: createAuthority({ subject: { commonName: "x" }, days: 1 }).cert })).rejects.toThrow(
      "it was not issued by the given CA",
    );
  });

  test("a key that it refuses is told with the place to look", async () => {
    const refused = await lab.connect({ TRUENAS_API: "9-wrongwrongwrong" }).catch((error: Error) => error.message);
    expect(refused).toContain("could not log in to TrueNAS");
    expect(refused).toContain("op://Infrastructure/talosdeploy");
    expect(refused).not.toContain("wrongwrong");
  });
});

test("nas-login-locked: it stops, and says why", async () => {
  lab = await openLab("25.10", { "nas-login-locked": 5 });
  await expect(lab.connect()).rejects.toThrow("could not log in to TrueNAS");
});
