import { describe, expect, test } from "vitest";
import { deviations, differences, machineOf, missingDevices, volsizeOf } from "../../../scripts/lib/truenas/machine.ts";
import { readBridges, type Vm } from "../../../scripts/lib/truenas/queries.ts";
import { testCluster } from "../test-cluster.ts";
import { fakeNas } from "./fake-nas.ts";

const cluster = testCluster();
const machine = machineOf(cluster, cluster.nodes[0]!, "/mnt/flashstor/ISO/talos.iso");
const built = (change: Partial<Vm> = {}): Vm => ({
  ...machine.vm,
  id: 7,
  devices: machine.devices.map((device) => structuredClone(device)),
  status: { state: "STOPPED" },
  ...change,
});

describe("a node's VM", () => {
  test("is asked for exactly so", () => {
    expect(machine).toEqual({
      name: "k8s_0",
      boot: { name: "flashstor/VM/k8s_0-boot", volsize: 500_000_882_688 },
      data: { name: "flashstor/VM/k8s_0-data", volsize: 1_000_000_716_800 },
      vm: {
        name: "k8s_0",
        description: "Talos node k8s-0",
        vcpus: 8,
        cores: 1,
        threads: 1,
        memory: 49_152,
        cpu_mode: "HOST-PASSTHROUGH",
        bootloader: "UEFI",
        autostart: true,
        time: "UTC",
        shutdown_timeout: 90,
        ensure_display_device: true,
        suspend_on_snapshot: false,
      },
      devices: [
        { order: 1001, attributes: { dtype: "DISK", type: "VIRTIO", path: "/dev/zvol/flashstor/VM/k8s_0-boot" } },
        { order: 1002, attributes: { dtype: "NIC", type: "VIRTIO", nic_attach: "br0", mac: "00:a0:98:28:c8:83" } },
        { order: 1004, attributes: { dtype: "DISK", type: "VIRTIO", path: "/dev/zvol/flashstor/VM/k8s_0-data" } },
        { order: 1010, attributes: { dtype: "CDROM", path: "/mnt/flashstor/ISO/talos.iso" } },
      ],
    });
  });

  test.each([
    [1024 ** 3, 1024 ** 3],
    [1, 1024 ** 2],
    [500_000_000_000, 476_838 * 1024 ** 2],
  ])("a disk of %d bytes is a zvol of %d: whole blocks", (bytes, volsize) => expect(volsizeOf(bytes)).toBe(volsize));

  test("as it was made, it differs in nothing, though TrueNAS adds numbers, serials and defaults", () => {
    const vm = built();
    Object.assign(vm.devices[0]!, { id: 3 });
    Object.assign(vm.devices[0]!.attributes, { serial: "XyHh8zYv", iotype: "THREADS" });
    vm.devices[1]!.attributes.mac = "00-A0-98-28-C8-83";
    expect(deviations(vm, machine)).toEqual([]);
  });

  test.each([
    ["memory is 1024, wanted 49152", built({ memory: 1024 })],
    ["suspend_on_snapshot is true, wanted false", built({ suspend_on_snapshot: true })],
    ["it has DISPLAY, which is not wanted", built({ devices: [...built().devices, { order: 1003, attributes: { dtype: "DISPLAY" } }] })],
    ["it has NIC 00:a0:98:28:c8:83 twice", built({ devices: [...built().devices, built().devices[1]!] })],
    [
      "it has NIC without a MAC, which is not wanted",
      built({ devices: [...built().devices, { order: 1002, attributes: { dtype: "NIC", mac: null } }] }),
    ],
  ])("%s", (line, vm) => expect(differences(vm, machine)).toEqual([line]));

  test.each([
    ["order", (vm: Vm) => (vm.devices[0]!.order = 1011), "DISK /dev/zvol/flashstor/VM/k8s_0-boot has order 1011, wanted 1001"],
    ["bridge", (vm: Vm) => (vm.devices[1]!.attributes.nic_attach = "br7"), "NIC 00:a0:98:28:c8:83 is on br7, wanted br0"],
    ["type", (vm: Vm) => (vm.devices[2]!.attributes.type = "AHCI"), "DISK /dev/zvol/flashstor/VM/k8s_0-data is AHCI, wanted VIRTIO"],
  ])("a device with another %s", (_, change, line) => {
    const vm = built();
    change(vm);
    expect(differences(vm, machine)).toEqual([line]);
  });

  test("missing devices are no difference, but a deviation", () => {
    const vm = built({ devices: built().devices.slice(0, 3) });
    expect(differences(vm, machine)).toEqual([]);
    expect(missingDevices(vm, machine)).toEqual([machine.devices[3]]);
    expect(deviations(vm, machine)).toEqual(["it has no CDROM /mnt/flashstor/ISO/talos.iso"]);
  });
});

test.each([
  ["25.x: one map", { br0: "br0", br12: "br12", ens802f0: "ens802f0" }, ["br0", "br12"]],
  ["26: by kind", { BRIDGE: ["br0"], MACVLAN: ["ens802f0"] }, ["br0"]],
  ["26 without a bridge", { MACVLAN: ["ens802f0"] }, []],
])("bridges, %s", async (_, bridges, names) => expect(await readBridges(fakeNas({ bridges }))).toEqual(names));
