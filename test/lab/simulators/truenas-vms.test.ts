// The life of a VM over the wire, on each version: made as the product makes it, started, stopped, deleted; jobs and events on the way.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bench, openBench, refusalOf, type TestClient } from "./truenas-client.ts";

let bench: Bench;
let client: TestClient;
afterEach(() => bench?.close());
const open = async (...words: Parameters<typeof openBench>) => {
  bench = await openBench(...words);
  client = await bench.connect();
};
const ISO = "/mnt/flashstor/ISO/talos.iso";
const GiB = 1024 ** 3;
const zvols = ["flashstor/VM/k8s_0-boot", "flashstor/VM/k8s_0-data"];
const left = async () => (await client.call("pool.dataset.query", [["type", "=", "VOLUME"]])).map(({ id }: { id: string }) => id);

/** Two zvols, a VM, its devices. */
async function make(name = "k8s_0"): Promise<number> {
  bench.nas().files[ISO] = { size: 1, sha256: "", head: "", mode: 0o644, mtime: 0 };
  for (const zvol of zvols) await client.call("pool.dataset.create", { name: zvol, type: "VOLUME", volsize: 100 * GiB, sparse: true });
  const { id } = await client.call("vm.create", {
    name,
    memory: 49_152,
    vcpus: 8,
    cpu_mode: "HOST-PASSTHROUGH",
    bootloader: "UEFI",
    time: "UTC",
    suspend_on_snapshot: false,
  });
  const devices = [
    { order: 1001, attributes: { dtype: "DISK", type: "VIRTIO", path: `/dev/zvol/${zvols[0]}` } },
    { order: 1002, attributes: { dtype: "NIC", type: "VIRTIO", nic_attach: "br0", mac: "00:a0:98:28:c8:83" } },
    { order: 1004, attributes: { dtype: "DISK", type: "VIRTIO", path: `/dev/zvol/${zvols[1]}` } },
    { order: 1010, attributes: { dtype: "CDROM", path: ISO } },
  ];
  for (const device of devices) await client.call("vm.device.create", { vm: id, ...device });
  return id as number;
}

describe.each(["25.04.2", "25.10.5", "26.0.0"])("TrueNAS %s", (version) => {
  const isNew = version === "26.0.0";
  beforeEach(() => open(version));

  test("a VM is made, started, freed of its CD, and deleted with its zvols one by one", async () => {
    const id = await make();
    const made = await client.call("vm.get_instance", id);
    expect(made).toMatchObject({
      name: "k8s_0",
      suspend_on_snapshot: false,
      bootloader_ovmf: version === "25.04.2" ? "OVMF_CODE.fd" : "OVMF_CODE_4M.fd",
      display_available: false,
      status: { state: "STOPPED", pid: null, domain_state: isNew ? null : "SHUTOFF" },
    });
    expect(made.devices.map(({ order, attributes: { dtype } }: any) => `${order} ${dtype}`)).toEqual([
      "1001 DISK",
      "1002 NIC",
      "1004 DISK",
      "1010 CDROM",
    ]);
    expect(await client.call("vm.start", id, { overcommit: false })).toBeNull();
    expect(await client.call("vm.status", id)).toMatchObject({ state: "RUNNING", domain_state: "RUNNING", pid: expect.any(Number) });
    const [{ id: cd }] = await client.call("vm.device.query", [["attributes.dtype", "=", "CDROM"]]);
    expect((await refusalOf(client.call("vm.device.delete", cd))).data!.reason).toContain("Please stop/resume associated VM");
    expect(await client.job("vm.stop", id)).toMatchObject({ state: "SUCCESS", result: null, method: "vm.stop" });
    expect(await client.call("vm.status", id)).toMatchObject({ state: "STOPPED", domain_state: "SHUTOFF" });
    expect(await client.call("vm.device.delete", cd)).toBe(true);
    expect(await client.call("vm.delete", id, { zvols: false, force: false })).toBe(isNew ? null : true);
    expect(await client.call("vm.query", [], { count: true })).toBe(0);
    expect(await left()).toEqual(zvols);
    for (const zvol of zvols) while ((await left()).includes(zvol)) await client.call("pool.dataset.delete", zvol).catch(() => {});
  });

  test("each change is one line of the world's log, and what is refused is none", async () => {
    const id = await make();
    await refusalOf(client.call("vm.create", { name: "k8s_0", memory: 64 }));
    await refusalOf(client.call("vm.start", 99));
    await client.call("vm.start", id);
    expect(bench.world.changes).toEqual([
      "product: nas pool.dataset.create flashstor/VM/k8s_0-boot",
      "product: nas pool.dataset.create flashstor/VM/k8s_0-data",
      "product: nas vm.create k8s_0",
      "product: nas vm.device.create k8s_0 DISK /dev/zvol/flashstor/VM/k8s_0-boot",
      "product: nas vm.device.create k8s_0 NIC 00:a0:98:28:c8:83",
      "product: nas vm.device.create k8s_0 DISK /dev/zvol/flashstor/VM/k8s_0-data",
      `product: nas vm.device.create k8s_0 CDROM ${ISO}`,
      "product: nas vm.start k8s_0",
    ]);
  });

  test("a zvol that a running VM has: deleting it stops the VM; 25.x says that it is busy, 26 says true and deletes nothing", async () => {
    const id = await make();
    await client.call("vm.start", id);
    const deleted = client.call("pool.dataset.delete", zvols[0]);
    if (isNew) expect(await deleted).toBe(true);
    else
      expect(await refusalOf(deleted)).toMatchObject({
        code: -32001,
        data: { error: 16, reason: expect.stringMatching(/^\[EBUSY\] .*dataset is busy$/) },
      });
    expect(await left()).toEqual(zvols);
    while ((await client.call("vm.status", id)).state !== "STOPPED");
  });

  test("a running VM that is deleted with its zvols leaves them behind only in 26", async () => {
    const id = await make();
    await client.call("vm.start", id);
    expect(await client.call("vm.delete", id, { zvols: true })).toBe(isNew ? null : true);
    expect([await left(), bench.nas().vms]).toEqual([isNew ? zvols : [], []]);
  });

  test("a device is changed in the way of the version", async () => {
    const id = await make();
    bench.nas().files["/mnt/flashstor/ISO/b.iso"] = { size: 1, sha256: "", head: "", mode: 0o644, mtime: 0 };
    const [{ id: cd }] = await client.call("vm.device.query", [["attributes.dtype", "=", "CDROM"]]);
    const part = client.call("vm.device.update", cd, { attributes: { path: "/mnt/flashstor/ISO/b.iso" } });
    if (version === "25.04.2") expect(await refusalOf(part)).toMatchObject({ code: -32602 });
    else expect(await part).toMatchObject({ vm: id, attributes: { path: "/mnt/flashstor/ISO/b.iso" } });
    const whole = { dtype: "CDROM", path: ISO };
    expect(await client.call("vm.device.update", cd, { attributes: whole, order: 1011 })).toMatchObject({ order: 1011, attributes: whole });
    const [{ id: disk, attributes }] = await client.call("vm.device.query", [["attributes.dtype", "=", "DISK"]]);
    expect((await client.call("vm.device.update", disk, { order: 1003 })).attributes).toEqual(attributes);
    expect(await refusalOf(client.call("vm.device.update", disk, { attributes: { ...whole } }))).toMatchObject({ code: -32602 });
  });

  test("events of VMs say that there is something to read again", async () => {
    await client.call("core.subscribe", "vm.query");
    const id = await make();
    await client.call("vm.update", id, { description: "x" });
    await client.call("vm.start", id);
    await client.call("vm.poweroff", id);
    await client.call("vm.delete", id);
    const seen = client.events.filter(({ collection }) => collection === "vm.query");
    expect(seen.map(({ msg }) => msg)).toEqual(["added", "changed", "changed", "changed", "removed"]);
    expect(seen[2]!.fields.status.state).toBe("RUNNING");
    expect("devices" in seen[2]!.fields).toBe(isNew);
    expect(seen[3]!.fields.status.state).toBe(isNew ? "STOPPED" : "SHUTOFF");
    expect(seen[4]).toEqual({ msg: "removed", collection: "vm.query", id });
  });
});

describe("a stop", () => {
  test("ends well although the guest did not listen; forced after its time it does stop", async () => {
    await open("25.10.5", {}, { second: 1, guestStops: () => undefined });
    const id = await make();
    await client.call("vm.start", id);
    expect(await client.job("vm.stop", id)).toMatchObject({ state: "SUCCESS" });
    expect(await client.call("vm.status", id)).toMatchObject({ state: "RUNNING" });
    expect(await client.job("vm.stop", id, { force_after_timeout: true })).toMatchObject({ state: "SUCCESS" });
    expect(await client.call("vm.status", id)).toMatchObject({ state: "STOPPED" });
  });
  test("by force cuts the power", async () => {
    await open("25.10.5", {}, { guestStops: () => undefined });
    const id = await make();
    await client.call("vm.start", id);
    expect(await client.job("vm.stop", id, { force: true })).toMatchObject({ state: "SUCCESS" });
    expect(await client.call("vm.status", id)).toMatchObject({ state: "STOPPED" });
  });
  test.each([
    ["25.10.5", "[EFAULT] VM state is currently not 'RUNNING'"],
    ["26.0.0", "[EFAULT] Domain 'k8s_0' does not exist"],
  ])("%s: of a VM that is off is a job that fails", async (version, error) => {
    await open(version);
    const id = await make();
    expect(await client.job("vm.stop", id)).toMatchObject({ state: "FAILED", error, exc_info: { type: "CallError", errno: 14 } });
    expect(await client.job("vm.stop", 99)).toMatchObject({ state: "FAILED", error: "[ENOENT] None: VM 99 does not exist" });
  });
  test("that was under way when the NAS ended is over when it is there again", async () => {
    await open("25.10.5", {}, { second: 400 });
    const id = await make();
    await client.call("vm.start", id);
    await client.call("vm.stop", id);
    await client.call("core.ping");
    expect(bench.nas().vms[0]!.stopsAt).toBeDefined();
    const { world } = bench;
    await bench.close();
    const { openServer } = await import("../../simulators/wire/truenas/server.ts");
    const { finishStops } = await import("../../simulators/wire/truenas/power.ts");
    finishStops(await openServer(world, {}));
    expect(world.state.nas.vms[0]).toMatchObject({ state: "STOPPED" });
    expect(world.changes.at(-1)).toBe("world: k8s_0 shuts down");
  });
});

describe("jobs", () => {
  test("are told of in order, the first time before the call is answered", async () => {
    await open("25.10.5");
    const id = await make();
    await client.call("vm.start", id);
    const subscription = await client.call("core.subscribe", "core.get_jobs");
    const job = await client.call("vm.stop", id);
    expect(client.events[0]).toMatchObject({
      msg: "added",
      collection: "core.get_jobs",
      id: job,
      fields: { state: "WAITING", method: "vm.stop", arguments: [id, { force: false, force_after_timeout: false }] },
    });
    while (client.events.at(-1)!.fields.state !== "SUCCESS") await client.call("core.ping");
    expect(client.events.map(({ fields: { state, progress } }) => `${state} ${progress.percent}`)).toEqual([
      "WAITING 0",
      "RUNNING 0",
      "RUNNING 10",
      "SUCCESS 100",
    ]);
    await client.call("core.unsubscribe", subscription);
    const told = client.events.length;
    await client.job("vm.stop", id);
    expect(client.events).toHaveLength(told);
  });
  test("of one lock wait for each other; another one can be waited for, and one that waits aborted", async () => {
    await open("25.10.5", {}, { second: 30 });
    const id = await make();
    await client.call("vm.start", id);
    const [first, second] = [await client.call("vm.stop", id), await client.call("vm.stop", id)];
    const state = async (job: number) => (await client.call("core.get_jobs", [["id", "=", job]], { get: true })).state;
    expect([await state(first), await state(second)]).toEqual(["RUNNING", "WAITING"]);
    expect(await refusalOf(client.call("core.job_abort", first))).toMatchObject({ code: -32001 });
    await client.call("core.job_abort", second);
    expect(await client.job("core.job_wait", first)).toMatchObject({ state: "SUCCESS", method: "core.job_wait" });
    expect(await state(second)).toBe("ABORTED");
    expect(await client.job("core.job_wait", second)).toMatchObject({ state: "FAILED", error: "Job aborted" });
    expect(await refusalOf(client.call("core.job_wait", 99))).toMatchObject({ code: -32001 });
  });
  test("are answered with their result by a connection that asked for it", async () => {
    await open("26.0.0");
    const id = await make();
    await client.call("vm.start", id);
    expect(await client.call("core.set_options", { legacy_jobs: false })).toMatchObject({ legacy_jobs: false });
    expect(await client.call("vm.stop", id)).toBeNull();
    expect(await refusalOf(client.call("vm.stop", id))).toMatchObject({
      code: -32001,
      data: { reason: "[EFAULT] Domain 'k8s_0' is not active" },
    });
  });
  test("go on when the connection goes, and are forgotten when the middleware restarts", async () => {
    await open("25.10.5", {}, { second: 30 });
    const id = await make();
    await client.call("vm.start", id);
    const job = await client.call("vm.stop", id);
    client.close();
    client = await bench.connect();
    expect(await client.call("core.get_jobs", [["id", "=", job]])).toHaveLength(1);
    bench.server.restart();
    expect(await client.closed).toMatchObject({ code: 1006 });
    client = await bench.connect();
    expect(await client.call("core.get_jobs")).toEqual([]);
    expect(await client.call("vm.stop", id)).toBe(1);
  });
});
