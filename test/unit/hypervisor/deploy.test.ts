import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Entry, NewEntry } from "../../../scripts/lib/ledger/entry.ts";
import { isoName, isoPath, sidecarPath, sidecarText } from "../../../scripts/lib/truenas/iso.ts";
import { record, type RecordSetup } from "../recorder.ts";
import { type FakeNas, fakeNas, type FakeWorld, HOME, refusal } from "../truenas/fake-nas.ts";
import { testCluster } from "../test-cluster.ts";

const ID = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
const home = vi.hoisted(() => ({ nas: undefined as unknown }));
vi.mock("../../../scripts/lib/truenas/nas.ts", () => ({ connectNas: async () => home.nas }));
vi.mock("../../../scripts/lib/talos/schematic.ts", () => ({
  readSchematic: async () => ({ id: ID, canonical: "customization: {}\n", text: "customization: {}\n", extensions: [], secureboot: false }),
}));
const { deploy } = await import("../../../scripts/vm/deploy.ts");

const cluster = testCluster();
const name = isoName("v1.13.9", { id: ID, secureboot: false }, "truenas");
const path = isoPath(cluster, name);
const files = { [path]: { size: 300, mtime: 1 }, [sidecarPath(path)]: { size: sidecarText("0".repeat(64), name).length, mtime: 2 } };

let nas: FakeNas;
const use = (change: Partial<FakeWorld> = {}) => {
  nas = fakeNas({ files: { ...files }, ...change });
  home.nas = nas;
};
beforeEach(() => use());

const one = { node: ["k8s-0"], "generate-iso": false };
const run = async (
  setup: RecordSetup = {},
  values: { node: string[] | undefined; "generate-iso": boolean } = one,
  ledger: NewEntry[] = [],
) => {
  const lab = await record(setup);
  lab.ledger.push(...ledger.map((entry, at) => ({ id: `old-${at}`, at: "2026-01-01T00:00:00.000Z", ...entry }) as Entry));
  const ended = await lab.run(deploy, values);
  return { ...lab, ended, message: ended instanceof Error ? ended.message : undefined };
};
const old = (kind: "vm" | "zvol", name: string, facts: Entry["facts"] = {}) =>
  ({
    kind,
    name,
    owner: { nas: HOME },
    procedure: "vm:deploy",
    facts: { node: "k8s-0", ...facts },
  }) as NewEntry;

const BOOT = "pool.dataset.create flashstor/VM/k8s_0-boot";
const DATA = "pool.dataset.create flashstor/VM/k8s_0-data";
const DEVICES = [
  "vm.device.create k8s_0 DISK 1001",
  "vm.device.create k8s_0 NIC 1002",
  "vm.device.create k8s_0 DISK 1004",
  "vm.device.create k8s_0 CDROM 1010",
];
const WHOLE = [BOOT, DATA, "vm.create k8s_0", ...DEVICES, "vm.start k8s_0"];

describe("a new VM", () => {
  test("these calls, in this order, and nothing stays in the ledger", async () => {
    const { message, ledger, said } = await run();
    expect(message).toBeUndefined();
    expect(nas.acts).toEqual(WHOLE);
    expect(nas.sent[0]).toEqual([
      "pool.dataset.create",
      [{ name: "flashstor/VM/k8s_0-boot", type: "VOLUME", volsize: 500_000_882_688, sparse: true }],
    ]);
    expect(nas.sent[3]).toEqual([
      "vm.device.create",
      [{ vm: 1, order: 1001, attributes: { dtype: "DISK", type: "VIRTIO", path: "/dev/zvol/flashstor/VM/k8s_0-boot" } }],
    ]);
    expect(nas.sent.at(-1)).toEqual(["vm.start", [1, { overcommit: false }]]);
    expect(ledger).toEqual([]);
    expect(said).toContain("k8s-0: VM k8s_0 runs");
  });

  test("all nodes when none is named", async () => {
    await run({}, { node: undefined, "generate-iso": false });
    expect(nas.world.vms.map((vm) => [vm.name, vm.status.state, vm.devices.length])).toEqual([
      ["k8s_0", "RUNNING", 4],
      ["k8s_1", "RUNNING", 4],
      ["k8s_2", "RUNNING", 4],
    ]);
  });

  test("a dry run shows the plan and changes nothing", async () => {
    const { plans, message } = await run({ dryRun: true });
    expect(message).toBe("dry run: nothing was changed");
    expect(plans[0]!.lines[0]).toBe("k8s-0: create VM k8s_0 (TrueNAS VM names cannot contain dashes), 8 vCPU, 48 GiB");
    expect(nas.acts).toEqual([]);
  });

  test("No changes nothing", async () => {
    await run({ yes: false });
    expect(nas.acts).toEqual([]);
  });

  test("a node that does not exist is named with its neighbours", async () => {
    expect((await run({}, { node: ["k8s-9"], "generate-iso": false })).message).toContain("nodes are k8s-0, k8s-1, k8s-2");
  });

  test("another hypervisor is refused, because it is not supported yet", async () => {
    expect((await run({ cluster: testCluster({ hypervisor: "vsphere" }) })).message).toContain(
      "talos/cluster.yaml has hypervisor: vsphere, which is not supported yet",
    );
  });
});

describe("checks come first, all at once", () => {
  test("and nothing is changed", async () => {
    use({ bridges: {}, memory: 0 });
    const { message } = await run();
    expect(message).toContain("there is no bridge br0");
    expect(message).toContain("1 VMs need 48 GiB of memory");
    expect(message).toContain("fix this, then: task vm:deploy");
    expect(nas.acts).toEqual([]);
  });

  test("without the ISO it stops and names what makes it", async () => {
    use({ files: {} });
    const { message } = await run();
    expect(message).toContain(`${path}: the ISO is not on the NAS yet`);
    expect(message).toContain("next: task talos:prepare-iso, or: task vm:deploy GENERATE_ISO=1");
  });

  test("with GENERATE_ISO=1 the plan says so first; a dry run ends there", async () => {
    use({ files: {} });
    const { plans } = await run({ dryRun: true }, { ...one, "generate-iso": true });
    expect(plans[0]!.lines[0]).toBe(`hand talos/schematic.yaml in to the image factory, expecting ID ${ID}`);
    expect(nas.acts).toEqual([]);
  });
});

describe("a VM that exists", () => {
  const there = () => ({ id: 5, name: "k8s_0", memory: 1024, vcpus: 8, cores: 1, threads: 1, devices: [], status: { state: "STOPPED" } });

  test("is left alone and reported; nothing to do, nothing asked", async () => {
    use({ vms: [there()] });
    const { plans, said, message } = await run();
    expect(message).toBeUndefined();
    expect(plans).toEqual([]);
    expect(nas.acts).toEqual([]);
    expect(said[0]).toContain("VM k8s_0 exists and is not changed (stopped; memory is 1024, wanted 49152;");
  });

  test("the others are made", async () => {
    use({ vms: [there()] });
    await run({}, { node: undefined, "generate-iso": false });
    expect(nas.world.vms.map((vm) => vm.status.state)).toEqual(["STOPPED", "RUNNING", "RUNNING"]);
  });
});

describe("goes on where an earlier run was killed", () => {
  test("before a zvol that was written down was made", async () => {
    const { ledger, message } = await run({}, one, [old("zvol", "flashstor/VM/k8s_0-boot", { volsize: 500_000_882_688 })]);
    expect(message).toBeUndefined();
    expect(nas.acts).toEqual(WHOLE);
    expect(ledger).toEqual([]);
  });

  test("after the zvols", async () => {
    use({ datasets: { ...fakeNas().world.datasets, "flashstor/VM/k8s_0-boot": { type: "VOLUME", volsize: 500_000_882_688 } } });
    await run({}, one, [old("zvol", "flashstor/VM/k8s_0-boot", { volsize: 500_000_882_688 })]);
    expect(nas.acts).toEqual(WHOLE.slice(1));
  });

  test.each([0, 1, 4])("after the VM and %d devices", async (devices) => {
    await run();
    nas.world.vms[0]!.devices.splice(devices);
    nas.world.vms[0]!.status.state = "STOPPED";
    nas.acts.length = 0;
    const { ledger } = await run({}, one, [
      ...["boot", "data"].map((disk) => old("zvol", `flashstor/VM/k8s_0-${disk}`)),
      old("vm", "k8s_0", { id: 1 }),
    ]);
    expect(nas.acts).toEqual([...DEVICES.slice(devices), "vm.start k8s_0"]);
    expect(ledger).toEqual([]);
  });

  test("after the start: it looks, and strikes the entries out", async () => {
    await run();
    nas.acts.length = 0;
    const { ledger, message } = await run({}, one, [old("vm", "k8s_0", { id: 1, startAttempted: true })]);
    expect([nas.acts, ledger, message]).toEqual([[], [], undefined]);
  });
});

describe("a lost reply", () => {
  test.each([BOOT, "vm.create", "vm.device.create k8s_0 NIC", "vm.device.create k8s_0 CDROM", "vm.start"])(
    "%s took place: it is not done twice",
    async (call) => {
      nas.upset[call] = ["lost after"];
      expect((await run()).message).toBeUndefined();
      expect(nas.acts).toEqual(WHOLE);
    },
  );

  test.each([BOOT, "vm.create", "vm.device.create k8s_0 NIC", "vm.start"])("%s did not take place: it is done again", async (call) => {
    nas.upset[call] = ["lost before"];
    expect((await run()).message).toBeUndefined();
    expect(nas.world.vms[0]!.devices).toHaveLength(4);
    expect(nas.world.vms[0]!.status.state).toBe("RUNNING");
  });
});

describe("a failure", () => {
  test("of a single node names the command that resumes", async () => {
    nas.upset["vm.device.create k8s_0 CDROM"] = [refusal("vm.device.create", "[EINVAL] attributes.path: no")];
    const { message, ledger } = await run();
    expect(message).toMatch(/^could not vm\.device\.create\n[\s\S]*\n {2}next: task vm:deploy resumes; task leftovers lists what is left$/);
    expect([ledger, nas.world.vms]).toEqual([[], []]);
  });
  test("takes back what this run made for the VM that never started; the others go on", async () => {
    nas.upset["vm.device.create k8s_0 CDROM"] = [
      refusal("vm.device.create", "[EINVAL] attributes.path: 'libvirt-qemu' user cannot read from it"),
    ];
    const { message, ledger } = await run({}, { node: undefined, "generate-iso": false });
    expect(message).toContain("k8s-0: could not vm.device.create\n");
    expect(message).toContain("cannot read from it");
    expect(message).not.toContain("still there");
    expect(nas.world.vms.map((vm) => vm.name)).toEqual(["k8s_1", "k8s_2"]);
    expect(Object.keys(nas.world.datasets)).not.toContain("flashstor/VM/k8s_0-boot");
    expect(ledger).toEqual([]);
  });

  test("of a zvol takes back the one before it", async () => {
    nas.upset[DATA] = [refusal("pool.dataset.create", "[EFAULT] Failed to create dataset: out of space")];
    await run();
    expect(nas.acts).toEqual([BOOT, DATA, "pool.dataset.delete flashstor/VM/k8s_0-boot"]);
  });

  const NO_MEMORY = refusal("vm.start", "[ENOMEM] Cannot guarantee memory for guest k8s_0", 12);
  test("of the start: it never ran, so it is removed, and the ledger does not say that it was started", async () => {
    nas.upset["vm.start"] = [NO_MEMORY];
    const { message, ledger } = await run();
    expect(message).toContain("Cannot guarantee memory for guest k8s_0");
    expect(message).not.toContain("still there");
    expect([ledger, nas.world.vms]).toEqual([[], []]);
  });
  test("of the start of a VM that an earlier run made leaves it, without the note that it was started", async () => {
    nas.upset["vm.start"] = ["lost before", "lost before", "lost before"];
    await run();
    nas.upset["vm.start"] = [NO_MEMORY];
    const { ledger } = await run({}, one, [old("vm", "k8s_0", { id: 1 })]);
    expect(ledger).toMatchObject([{ kind: "vm", facts: { startAttempted: false } }]);
    expect(nas.world.vms).toHaveLength(1);
  });
  test.each([
    ["an earlier run may have started it", ["refused"], { startAttempted: true }],
    ["the reply to the first try was lost", ["lost before", "refused"], {}],
  ])("of the start keeps the note where %s", async (_what, answers, facts) => {
    nas.upset["vm.start"] = ["lost before", "lost before", "lost before"];
    await run();
    nas.upset["vm.start"] = answers.map((answer) => (answer === "refused" ? NO_MEMORY : "lost before"));
    const { ledger } = await run({}, one, [old("vm", "k8s_0", { id: 1, ...facts })]);
    expect(ledger).toMatchObject([{ kind: "vm", facts: { startAttempted: true } }]);
  });

  test("never touches what an earlier run made", async () => {
    use({ datasets: { ...fakeNas().world.datasets, "flashstor/VM/k8s_0-boot": { type: "VOLUME", volsize: 500_000_882_688 } } });
    nas.upset["vm.create"] = [refusal("vm.create", "[EFAULT] no KVM")];
    const { ledger } = await run({}, one, [old("zvol", "flashstor/VM/k8s_0-boot", { volsize: 500_000_882_688 })]);
    expect(nas.acts).toEqual([DATA, "vm.create k8s_0", "pool.dataset.delete flashstor/VM/k8s_0-data"]);
    expect(ledger.map(({ name }) => name)).toEqual(["flashstor/VM/k8s_0-boot"]);
  });

  test("a VM that TrueNAS changed on the way is not started", async () => {
    nas.upset["vm.device.create k8s_0 NIC"] = ["lies"];
    const { message } = await run();
    expect(message).toContain("could not make device k8s_0 NIC 1002");
    expect(nas.acts).not.toContain("vm.start k8s_0");
  });
});
