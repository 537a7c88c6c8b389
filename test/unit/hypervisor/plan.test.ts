import { describe, expect, test } from "vitest";
import type { Entry } from "../../../scripts/lib/ledger/entry.ts";
import { machineOf } from "../../../scripts/lib/truenas/machine.ts";
import type { Vm } from "../../../scripts/lib/truenas/queries.ts";
import type { NasState } from "../../../scripts/lib/hypervisor/nas-state.ts";
import { describePlan, planDeploy, stepsOf } from "../../../scripts/lib/hypervisor/plan.ts";
import { testCluster } from "../test-cluster.ts";
import { HOME } from "../truenas/fake-nas.ts";

const cluster = testCluster();
const iso = { name: "talos-v1.13.9-376567988ad3-metal-amd64.iso", path: "/mnt/flashstor/ISO/talos-v1.13.9-376567988ad3-metal-amd64.iso" };
const [first] = cluster.nodes;
const machine = machineOf(cluster, first!, iso.path);
const GiB = 1024 ** 3;
const TB = 1000 ** 4;

const facts = (change: Partial<NasState> = {}): NasState => ({
  pool: { name: "flashstor", guid: "1234567890", status: "ONLINE", healthy: true },
  datasets: new Map([["flashstor/VM", { type: "FILESYSTEM", available: 10 * TB }]]),
  vms: [],
  bridges: ["br0"],
  memory: 200 * GiB,
  iso: {
    iso: { type: "FILE", size: 300, mtime: 1 },
    sidecar: { type: "FILE", size: 64 + 2 + iso.name.length + 1, mtime: 2 },
    folder: { source: "flashstor/ISO", avail_bytes: TB },
  },
  roles: new Set(["FULL_ADMIN"]),
  owned: [],
  foreign: [],
  ...change,
});
const plan = (change: Partial<NasState> = {}, waive: string[] = [], nodes = cluster.nodes) =>
  planDeploy({ cluster, nodes, iso, waive }, facts(change));
const entry = (kind: "vm" | "zvol", name: string, more: Entry["facts"] = {}) =>
  ({
    id: name,
    kind,
    name,
    owner: { nas: HOME },
    procedure: "vm:deploy",
    at: "",
    facts: { node: "k8s-0", ...more },
  }) as Entry;
const vm = (change: Partial<Vm> = {}): Vm => ({
  ...machine.vm,
  id: 7,
  devices: structuredClone(machine.devices),
  status: { state: "STOPPED" },
  ...change,
});
const withZvol = (volsize = machine.boot.volsize) =>
  new Map([
    ["flashstor/VM", { type: "FILESYSTEM", available: 10 * TB }],
    [machine.boot.name, { type: "VOLUME", volsize }],
  ]);

describe("what happens to each node", () => {
  const action = (change: Partial<NasState>) => {
    const { nodes, problems } = plan(change);
    return { action: nodes[0]!.action, problems };
  };
  test("nothing there: create all", () => expect(plan().nodes.map(({ action }) => action)).toEqual(["create", "create", "create"]));
  test("a VM that an earlier run began: finish it", () =>
    expect(action({ vms: [vm()], owned: [entry("vm", "k8s_0", { id: 7 })] })).toEqual({ action: "finish", problems: [] }));
  test("a VM whose number was not noted before the kill: finish it", () =>
    expect(action({ vms: [vm()], owned: [entry("vm", "k8s_0")] }).action).toBe("finish"));
  test("a VM that is not ours: leave it alone", () =>
    expect(action({ vms: [vm({ memory: 1 })] })).toEqual({ action: "keep", problems: [] }));
  test("a VM that took the name after ours went: leave it alone", () =>
    expect(action({ vms: [vm()], owned: [entry("vm", "k8s_0", { id: 3 })] }).action).toBe("keep"));
  test("a zvol that an earlier run made is used", () => {
    const { nodes, problems } = plan({ datasets: withZvol(), owned: [entry("zvol", machine.boot.name)] });
    expect([...nodes[0]!.made]).toEqual([machine.boot.name]);
    expect(problems).toEqual([]);
  });
});

describe("what speaks against it", () => {
  test.each<[string, Partial<NasState>, string[]]>([
    ["nothing", {}, []],
    ["no pool", { pool: undefined }, ["there is no pool flashstor on the NAS"]],
    [
      "a sick pool",
      { pool: { ...facts().pool!, status: "DEGRADED", healthy: false } },
      ["pool flashstor is DEGRADED, not healthy: fix it, or skip this check with WAIVE=pool"],
    ],
    [
      "no dataset for VMs",
      { datasets: new Map() },
      ["there is no dataset flashstor/VM on the NAS: create it there (Datasets → Add Dataset)"],
    ],
    ["no bridge", { bridges: ["br1"] }, ["there is no bridge br0 on the NAS: it has br1"]],
    ["no memory", { memory: 100 * GiB }, ["3 VMs need 144 GiB of memory, the NAS has 100 GiB left for VMs"]],
    [
      "no rights",
      { roles: new Set(["VM_WRITE", "READONLY_ADMIN"]) },
      ["the NAS account lacks the role VM_DEVICE_WRITE", "the NAS account lacks the role DATASET_WRITE"],
    ],
    ["no folder for ISOs", { iso: {} }, ["there is no dataset flashstor/ISO on the NAS: create it there (Datasets → Add Dataset)"]],
    [
      "ISOs in the pool's root",
      { iso: { ...facts().iso, folder: { source: "flashstor", avail_bytes: 1 } } },
      [
        "/mnt/flashstor/ISO is a folder in the root dataset of flashstor: TrueNAS takes CDs only from a child dataset, so create flashstor/ISO as one",
      ],
    ],
    [
      "someone's zvol",
      { datasets: withZvol() },
      [
        `zvol ${machine.boot.name} exists, but vm:deploy did not create it and no VM k8s_0 has it: it may hold data; remove or rename it on the NAS`,
      ],
    ],
    [
      "our zvol, another size now",
      { datasets: withZvol(5), owned: [entry("zvol", machine.boot.name)] },
      [
        `zvol ${machine.boot.name}, created by an unfinished run: it has 5 bytes, wanted ${machine.boot.volsize} (task leftovers UNDO=1 removes it)`,
      ],
    ],
    [
      "our VM, begun for another ISO",
      {
        vms: [vm({ devices: [{ order: 1010, attributes: { dtype: "CDROM", path: "/mnt/flashstor/ISO/old.iso" } }] })],
        owned: [entry("vm", "k8s_0")],
      },
      [
        "VM k8s_0, created by an unfinished run: it has CDROM /mnt/flashstor/ISO/old.iso, which is not wanted (task leftovers UNDO=1 removes it)",
      ],
    ],
    [
      "our zvol in someone's VM",
      { datasets: withZvol(), owned: [entry("zvol", machine.boot.name)], vms: [vm({ name: "db", devices: [machine.devices[0]!] })] },
      [`zvol ${machine.boot.name} is a disk of VM db`],
    ],
    [
      "our MAC in someone's VM",
      { vms: [vm({ name: "db", devices: [{ order: 1, attributes: { dtype: "NIC", mac: "00:A0:98:28:C8:83" } }] })] },
      ["k8s-0's MAC 00:a0:98:28:c8:83 is a NIC of VM db"],
    ],
    [
      "our MAC in someone's VM, without separators",
      { vms: [vm({ name: "db", devices: [{ order: 1, attributes: { dtype: "NIC", mac: "00A09828C883" } }] })] },
      ["k8s-0's MAC 00:a0:98:28:c8:83 is a NIC of VM db"],
    ],
  ])("%s", (_, change, problems) => expect(plan(change).problems).toEqual(problems));

  test("a zvol over 80 % of what is free, thin or not", () =>
    expect(plan({ datasets: new Map([["flashstor/VM", { type: "FILESYSTEM", available: 1.2 * TB }]]) }, [], [first!]).problems).toEqual([
      "zvol flashstor/VM/k8s_0-data of 1000 GB is more than 80 % of the 1200 GB that flashstor/VM has left",
    ]));
  test("all of it at once", () => expect(plan({ pool: undefined, bridges: [], memory: 0, datasets: new Map() }).problems).toHaveLength(3));
  test("a sick pool can be waived by name", () =>
    expect(plan({ pool: { ...facts().pool!, healthy: false } }, ["pool"]).problems).toEqual([]));
  test("nothing, when every VM exists: then the NAS need not even have a pool", () =>
    expect(plan({ pool: undefined, memory: 0, iso: {}, vms: cluster.nodes.map(({ vm: name }) => vm({ name })) })).toMatchObject({
      problems: [],
      warnings: [],
    }));
  test("a running VM of an earlier run needs no ISO and no memory", () => {
    const running = { vms: [vm({ status: { state: "RUNNING" } })], owned: [entry("vm", "k8s_0")], memory: 0, iso: {} };
    expect(plan(running, [], [first!])).toMatchObject({ problems: [] });
    expect(plan(running, [], [first!]).isoFault).toBeUndefined();
  });
});

describe("the steps", () => {
  const steps = (change: Partial<NasState> = {}) =>
    stepsOf(plan(change, [], [first!]), facts(change), iso.path).map(({ action, target }) => `${action} ${target}`);
  test("name each zvol that is created, and the VM", () =>
    expect(steps()).toEqual([`create zvol ${machine.boot.name}`, `create zvol ${machine.data.name}`, "create VM k8s_0"]));
  test("do not name a zvol that an earlier run created", () =>
    expect(
      steps({
        datasets: new Map([...facts().datasets, [machine.boot.name, { type: "VOLUME", volsize: machine.boot.volsize }]]),
        owned: [entry("zvol", machine.boot.name)],
      }),
    ).toEqual([`create zvol ${machine.data.name}`, "create VM k8s_0"]));
  test("tell a new ISO from one that is replaced", () => {
    expect(steps({ iso: { ...facts().iso, iso: undefined } })[0]).toBe(`upload ${iso.path}`);
    expect(steps({ iso: { ...facts().iso, sidecar: undefined } })[0]).toBe(`replace ${iso.path}`);
  });
});

describe("the ISO", () => {
  const fault = (change: object) => plan({ iso: { ...facts().iso, ...change } }).isoFault;
  test("good", () => expect(fault({})).toBeUndefined());
  test("absent", () => expect(fault({ iso: undefined })).toBe("the ISO is not on the NAS yet"));
  test("broken off: no checksum beside it", () =>
    expect(fault({ sidecar: undefined })).toBe("its checksum file is missing, so the upload may be incomplete"));
  test("a checksum that broke off", () =>
    expect(fault({ sidecar: { type: "FILE", size: 12 } })).toBe("its checksum file is missing, so the upload may be incomplete"));
  test("written to after its checksum", () =>
    expect(fault({ iso: { type: "FILE", size: 1, mtime: 9 } })).toBe("it was changed after the upload"));
});

describe("warnings", () => {
  test("memory unknown", () =>
    expect(plan({ memory: "not authorised" }).warnings).toEqual(["the memory available for VMs is unknown: not authorised"]));
  test("thin disks that could outgrow the pool", () =>
    expect(plan({ datasets: new Map([["flashstor/VM", { type: "FILESYSTEM", available: 2 * TB }]]) }).warnings).toEqual([
      "the disks are thin-provisioned: together they can grow to 4500 GB, flashstor/VM has 2000 GB left",
    ]));
  test("entries about another NAS", () =>
    expect(plan({ foreign: [entry("vm", "x")] }).warnings).toEqual(["1 ledger entries are about another NAS (task leftovers)"]));
});

test("what the person reads", () => {
  const stopped = vm({ name: "k8s_1", devices: [] });
  const kept = vm({ name: "k8s_2", memory: 1024, status: { state: "RUNNING" }, devices: [] });
  const shown = describePlan(plan({ vms: [stopped, kept], owned: [entry("vm", "k8s_1")] }), cluster.truenas, iso.path);
  expect(shown).toEqual([
    "k8s-0: create VM k8s_0 (TrueNAS VM names cannot contain dashes), 8 vCPU, 48 GiB",
    "  create zvol flashstor/VM/k8s_0-boot, 500 GB, thin",
    "  create zvol flashstor/VM/k8s_0-data, 1000 GB, thin",
    `  NIC 00:a0:98:28:c8:83 on br0, CD ${iso.path}; then start it`,
    "k8s-1: finish VM k8s_1, which an earlier run created (stopped, 4 devices missing); then start it",
    "  create zvol flashstor/VM/k8s_1-boot, 500 GB, thin",
    "  create zvol flashstor/VM/k8s_1-data, 1000 GB, thin",
    expect.stringContaining("k8s-2: VM k8s_2 exists and is not changed (running; memory is 1024, wanted 49152; it has no DISK"),
  ]);
});
