// Every fault of the NAS, and that nothing of a server outlives it.
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { type Bench, openBench, refusalOf } from "./truenas-client.ts";

let bench: Bench;
afterEach(() => bench?.close());
const open = async (...words: Parameters<typeof openBench>) => (bench = await openBench(...words));
const SPEC = { name: "k8s_0", memory: 64 };

describe("nas-drops-socket", () => {
  test("cuts the connection before the change, once; reads are left alone", async () => {
    await open("25.10.5", { "nas-drops-socket": 1 });
    const client = await bench.connect();
    expect(await client.call("vm.query")).toEqual([]);
    await expect(client.call("vm.create", SPEC)).rejects.toThrow("closed with 1006");
    expect([bench.nas().vms, bench.world.has("nas-drops-socket")]).toEqual([[], false]);
    const again = await bench.connect();
    expect(await again.call("vm.create", SPEC)).toMatchObject({ name: "k8s_0" });
  });
});

describe("nas-loses-reply", () => {
  test("makes the change and cuts the connection instead of saying so; a refusal does not use it up", async () => {
    await open("25.10.5", { "nas-loses-reply": 1 });
    const client = await bench.connect();
    await refusalOf(client.call("vm.create", { ...SPEC, name: "k8s-0" }));
    await expect(client.call("vm.create", SPEC)).rejects.toThrow("closed with 1006");
    expect(bench.nas().vms).toMatchObject([{ name: "k8s_0" }]);
    expect(await refusalOf((await bench.connect()).call("vm.create", SPEC))).toMatchObject({
      data: { extra: [["vm_create.name", "This name already exists.", 17]] },
    });
  });
});

test("nas-idle-cut: silence of a third of a second is too long, as long as it is on", async () => {
  await open("26.0.0", { "nas-idle-cut": 1 });
  const client = await bench.connect();
  const started = performance.now();
  expect(await client.closed).toMatchObject({ code: 1006 });
  expect(performance.now() - started).toBeGreaterThan(100);
  expect(bench.world.has("nas-idle-cut")).toBe(true);
});

test("nas-busy: a call is refused as one too many, as often as it strikes; a ping is not", async () => {
  await open("25.10.5", { "nas-busy": 2 });
  const client = await bench.connect();
  expect(await client.call("core.ping")).toBe("pong");
  for (const method of ["vm.query", "vm.create"])
    expect(await refusalOf(client.call(method, ...(method === "vm.create" ? [SPEC] : [])))).toEqual({
      code: -32000,
      message: "Maximum number of concurrent calls (20) has exceeded",
    });
  expect(await client.call("vm.query")).toEqual([]);
});

test("nas-full-pool: too little is left, and a zvol is refused by the 80 % rule", async () => {
  await open("25.10.5", { "nas-full-pool": 1 });
  const client = await bench.connect();
  const [root] = await client.call("pool.dataset.query", [["id", "=", "flashstor"]]);
  expect(root.available.parsed).toBeLessThan(10_000_000_000);
  const zvol = { name: "flashstor/VM/a", type: "VOLUME", volsize: 16_384 * 1_000_000, sparse: true };
  expect(await refusalOf(client.call("pool.dataset.create", zvol))).toMatchObject({
    code: -32602,
    data: { extra: [["pool_dataset_create.volsize", "It is not recommended to use more than 80% of your available space for VOLUME", 22]] },
  });
});

test("nas-login-locked: the right key is refused until it is mended", async () => {
  await open("25.10.5", { "nas-login-locked": 1 });
  const client = await bench.connect({ login: false });
  const key = { mechanism: "API_KEY_PLAIN", username: "talos", api_key: bench.nas().card.key };
  for (let n = 0; n < 2; n += 1) expect(await client.call("auth.login_ex", key)).toEqual({ response_type: "AUTH_ERR" });
  bench.world.state.faults = {};
  expect(await client.call("auth.login_ex", key)).toMatchObject({ response_type: "SUCCESS" });
});

test("nas-device-refused and nas-start-refused: a CD cannot be read, a VM has no memory, until mended", async () => {
  await open("25.10.5", { "nas-device-refused": 1, "nas-start-refused": 1 });
  const client = await bench.connect();
  bench.nas().files["/mnt/flashstor/ISO/a.iso"] = { size: 1, sha256: "", head: "", mode: 0o644, mtime: 0 };
  const { id } = await client.call("vm.create", SPEC);
  const cd = { vm: id, attributes: { dtype: "CDROM", path: "/mnt/flashstor/ISO/a.iso" } };
  for (let n = 0; n < 2; n += 1) {
    expect((await refusalOf(client.call("vm.device.create", cd))).data!.reason).toContain("'libvirt-qemu' user cannot read from");
    expect(await refusalOf(client.call("vm.start", id))).toMatchObject({ data: { error: 12, errname: "ENOMEM" } });
  }
  bench.world.state.faults = {};
  await client.call("vm.device.create", cd);
  expect(await client.call("vm.start", id)).toBeNull();
});

test("nothing keeps the process alive after close, whatever was under way", () => {
  const text = `
    const { openBench } = await import("./test/lab/simulators/truenas-client.ts");
    const bench = await openBench("25.10.5", {}, { second: 60_000 });
    const client = await bench.connect();
    const { id } = await client.call("vm.create", { name: "a", memory: 64 });
    client.call("vm.start", id).catch(() => {});
    await client.call("vm.stop", id);
    await client.call("vm.query");
    await bench.close();
    console.log("closed");`;
  const ran = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", text], {
    encoding: "utf8",
    timeout: 20_000,
  });
  expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, "closed\n", ""]);
});
