// VMs that start and stop, and the NAS as the rest of the home sees it.
import { describe, expect, test } from "vitest";
import { datasetRows } from "../../simulators/world/nas/dataset-rows.ts";
import { deleteDataset } from "../../simulators/world/nas/datasets.ts";
import { nasPending, normalisedNas, vmsOf } from "../../simulators/world/nas/machines.ts";
import { availableMemory, powerOff, start, tellToStop } from "../../simulators/world/nas/power.ts";
import { removeVm } from "../../simulators/world/nas/vms.ts";
import { freshNas, type NasState } from "../../simulators/world/nas/nas.ts";
import { GB, ISO, disk, cd, nic, linesOf, home } from "./truenas-home.ts";

describe("power", () => {
  test("memory is counted: five VMs of 48 GiB do not fit into 256 GiB, unless they may overcommit", () => {
    const { nas, around, vm, does } = home();
    const ids = [0, 1, 2, 3, 4].map((n) => vm(`k8s_${n}`));
    for (const id of ids.slice(0, 4)) does(start(nas, id, {}, around));
    expect(availableMemory(nas)).toBeLessThan(48 * 1024 ** 3);
    expect(linesOf(start(nas, ids[4]!, {}, around))).toEqual(["[ENOMEM] Cannot guarantee memory for guest k8s_4"]);
    does(start(nas, ids[4]!, { overcommit: true }, around));
  });
  test.each([
    [
      "25.10.5",
      "[EFAULT] 'k8s_0' is already running",
      `[EFAULT] VM will not start as CDROM Device: ${ISO} device(s) are not available.`,
      "[EFAULT] VM state is currently not 'RUNNING'",
    ],
    [
      "26.0.0",
      "[EFAULT] VM 'k8s_0' is already running",
      `[EFAULT] Cannot start domain 'k8s_0':\nCDROM device '${ISO}' is not available`,
      "[EFAULT] Domain 'k8s_0' does not exist",
    ],
  ])("%s: a start or stop that cannot be is refused in its words", (version, running, missing, stopped) => {
    const { nas, around, vm, device, file, does } = home(version);
    file(ISO);
    does(device(vm(), cd()));
    expect(linesOf(tellToStop(nas, 1, 0, around))).toEqual([stopped]);
    const iso = nas.files[ISO]!;
    nas.files = {};
    expect(linesOf(start(nas, 1, {}, around))).toEqual([missing]);
    nas.files = { [ISO]: iso };
    does(start(nas, 1, {}, around));
    expect(linesOf(start(nas, 1, {}, around))).toEqual([running]);
    expect(linesOf(start(nas, 9, {}, around))).toEqual([" VM 9 does not exist 2"]);
  });
  test("a NIC must be there and written as libvirt reads it, a zvol must be there", () => {
    const { nas, around, vm, device, zvol, does } = home();
    zvol("flashstor/VM/a");
    const id = vm();
    does(device(id, nic({ mac: "00-a0-98-11-22-33" })));
    expect(linesOf(start(nas, id, {}, around))).toEqual(["[EFAULT] XML error: unable to parse mac address '00-a0-98-11-22-33'"]);
    nas.vms[0]!.devices = [];
    does(device(id, nic()));
    nas.interfaces = [];
    expect(linesOf(start(nas, id, {}, around))).toEqual(["[EFAULT] br0 not found."]);
    nas.vms[0]!.devices = [];
    does(device(id, disk("/dev/zvol/flashstor/VM/a")));
    does(deleteDataset(nas, "flashstor/VM/a", {}, around));
    expect(linesOf(start(nas, id, {}, around))[0]).toContain("VM will not start as DISK Device");
  });
  test("a start is refused for memory when the fault says so", () => {
    const { nas, around, vm, faults } = home();
    faults.add("nas-start-refused");
    expect(linesOf(start(nas, vm(), { overcommit: true }, around))).toEqual(["[ENOMEM] Cannot guarantee memory for guest k8s_0"]);
  });
  test("what was told to stop is pending until it has", () => {
    const { nas, around, vm, does, at } = home();
    does(start(nas, vm(), {}, around));
    does(tellToStop(nas, 1, 100, around));
    expect([nas.vms[0]!.state, nasPending(nas, at.now)]).toEqual(["RUNNING", true]);
    does(powerOff(nas, 1, 0, around));
    expect([nas.vms[0]!.state, nasPending(nas, at.now)]).toEqual(["STOPPED", false]);
  });
});

describe("as the rest of the home sees it", () => {
  const HEAD = JSON.stringify({ talos: "v1.13.9", schematic: "ab", platform: "metal" });
  function booted() {
    const made = home();
    made.file(ISO, 3_000_000, `${HEAD}\n`.padEnd(512));
    const id = made.vm();
    for (const name of ["boot", "data"]) made.zvol(`flashstor/VM/k8s_0-${name}`);
    made.does(made.device(id, cd(), 1010));
    made.does(made.device(id, disk("/dev/zvol/flashstor/VM/k8s_0-data"), 1004));
    made.does(made.device(id, nic(), 1002));
    made.does(made.device(id, disk("/dev/zvol/flashstor/VM/k8s_0-boot"), 1001));
    return made;
  }
  test("a VM is a machine: disks in the firmware's order, what its CD boots, its MAC", () => {
    const { nas, around, does } = booted();
    does(start(nas, 1, {}, around));
    expect(vmsOf(nas)).toMatchObject([
      {
        name: "k8s_0",
        running: true,
        mac: "00:a0:98:28:c8:83",
        bus: "vd",
        disks: [{ path: "flashstor/VM/k8s_0-boot" }, { path: "flashstor/VM/k8s_0-data" }],
        iso: { talos: "v1.13.9", schematic: "ab", platform: "metal" },
      },
    ]);
  });
  test("two runs that made the same in another order end the same; a difference shows", () => {
    const [one, two] = [booted().nas, booted().nas];
    two.vms[0]!.devices.reverse();
    two.datasets.reverse();
    expect(normalisedNas(one)).toEqual(normalisedNas(two));
    two.vms[0]!.memory = 1;
    expect(normalisedNas(one)).not.toEqual(normalisedNas(two));
    expect(JSON.stringify(normalisedNas(one))).not.toContain("serial");
  });
  test("a VM that is taken off the list leaves its zvols", () => {
    const { nas } = booted();
    removeVm(nas, 1).apply(nas);
    expect([vmsOf(nas), nas.datasets.length]).toEqual([[], 5]);
  });
  test("a dataset lists what it is asked for, its children inside it or beside it", () => {
    const { nas, around, at } = booted();
    at.written = 2 * GB;
    const [root] = datasetRows(nas, { flat: false, properties: ["used"] }, around) as [
      { children: { id: string; children: unknown[] }[]; used: object },
    ];
    expect(root.children.map(({ id }) => id)).toEqual(["flashstor/VM", "flashstor/ISO"]);
    expect(Object.keys(root)).not.toContain("available");
    const zvol = datasetRows(nas, { properties: ["volsize", "usedbydataset", "referenced"], retrieve_children: false }, around).find(
      ({ id }) => id === "flashstor/VM/k8s_0-boot",
    );
    expect(zvol).toMatchObject({
      type: "VOLUME",
      mountpoint: null,
      volsize: { parsed: 499_999_997_952 },
      usedbydataset: { parsed: 2 * GB + 57_344 },
    });
    expect(zvol).not.toHaveProperty("referenced"); // asked for or not
  });
});

test("a fresh NAS keeps the hash of its key, and the key only on the person's card", () => {
  const nas: NasState = freshNas();
  expect(nas.card.key).toMatch(/^1-taint-nas-\w{52}$/);
  expect(JSON.stringify({ ...nas, card: {} })).not.toContain(nas.card.key);
});
