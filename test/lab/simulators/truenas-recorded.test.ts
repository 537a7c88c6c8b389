// The simulated 25.04.2 answers with exactly the keys of replies that were recorded from a real one: a key too many hides a field that the product must not rely on.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Bench, openBench, type TestClient } from "./truenas-client.ts";

type Row = Record<string, unknown>;
const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/truenas/25.04.2/${name}.json`, import.meta.url), "utf8")) as Row;
const keys = (row: unknown) => Object.keys(row as object).sort();

let bench: Bench;
let client: TestClient;
beforeEach(async () => {
  bench = await openBench("25.04.2");
  client = await bench.connect();
  await client.call("pool.dataset.create", { name: "flashstor/VM/k8s_0-boot", type: "VOLUME", volsize: 1024 ** 3, sparse: true });
});
afterEach(() => bench.close());

test.each([
  ["zvol", "flashstor/VM/k8s_0-boot"],
  ["filesystem", "flashstor/VM"],
])("a %s has the recorded keys, and each property has the recorded parts", async (name, id) => {
  const [row] = (await client.call("pool.dataset.query", [["id", "=", id]], {})) as Row[];
  const real = recorded(name);
  expect(keys(row)).toEqual(keys(real));
  for (const [key, value] of Object.entries(real))
    if (typeof value === "object" && value !== null && !["children", "user_properties"].includes(key))
      expect([key, keys(row![key])]).toEqual([key, keys(value)]);
});

test("a property that the version does not return is not returned when it is asked for", async () => {
  const [row] = (await client.call("pool.dataset.query", [["id", "=", "flashstor/VM/k8s_0-boot"]], {
    extra: { retrieve_children: false, properties: ["volsize", "referenced", "usedbydataset"] },
  })) as Row[];
  expect(row).toMatchObject({ volsize: { parsed: 1024 ** 3 }, usedbydataset: { parsed: expect.any(Number) } });
  expect(row).not.toHaveProperty("referenced");
});

test("a VM and its devices have the recorded keys", async () => {
  const real = recorded("vm") as { devices: { attributes: { dtype: string } }[]; status: object };
  bench.nas().files["/mnt/flashstor/ISO/talos.iso"] = { size: 1, sha256: "", head: "", mode: 0o644, mtime: 0 };
  const { id } = (await client.call("vm.create", { name: "k8s_0", memory: 4096 })) as { id: number };
  for (const [order, attributes] of [
    [1001, { dtype: "DISK", type: "VIRTIO", path: "/dev/zvol/flashstor/VM/k8s_0-boot" }],
    [1002, { dtype: "NIC", type: "VIRTIO", nic_attach: "br0", mac: "00:a0:98:28:c8:83" }],
    [1010, { dtype: "CDROM", path: "/mnt/flashstor/ISO/talos.iso" }],
  ] as const)
    await client.call("vm.device.create", { vm: id, order, attributes });
  const vm = (await client.call("vm.get_instance", id)) as typeof real;
  expect(keys(vm)).toEqual(keys(real));
  expect(keys(vm.status)).toEqual(keys(real.status));
  for (const device of vm.devices) {
    const like = real.devices.find(({ attributes }) => attributes.dtype === device.attributes.dtype)!;
    expect([keys(device), keys(device.attributes)]).toEqual([keys(like), keys(like.attributes)]);
  }
});
