import { beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../../scripts/lib/ledger/entry.ts";
import { leftoversOf, readNasFacts, undoEntries } from "../../../scripts/lib/truenas/undo.ts";
import { record, type Recording } from "../recorder.ts";
import { fakeNas, type FakeWorld, HOME, refusal } from "./fake-nas.ts";

const VOLSIZE = 500_000_882_688;
const ZVOL = "flashstor/VM/k8s_0-boot";
const entry = (kind: "vm" | "zvol", name: string, facts: Entry["facts"] = {}, nas = HOME) =>
  ({
    id: name,
    kind,
    name,
    owner: { nas },
    procedure: "vm:deploy",
    at: "2026-01-01T00:00:00.000Z",
    facts: { node: "k8s-0", ...facts },
  }) as Entry;
const vmEntry = (facts: Entry["facts"] = { id: 7 }) => entry("vm", "k8s_0", facts);
const zvolEntry = (facts: Entry["facts"] = { volsize: VOLSIZE }) => entry("zvol", ZVOL, facts);

const vm = (change: object = {}) => ({
  id: 7,
  name: "k8s_0",
  memory: 1,
  vcpus: 1,
  cores: 1,
  threads: 1,
  status: { state: "STOPPED" },
  devices: [{ order: 1001, attributes: { dtype: "DISK", path: `/dev/zvol/${ZVOL}` } }],
  ...change,
});
const zvol = (change: object = {}) => ({ type: "VOLUME", volsize: VOLSIZE, own: 57_344, ...change });

const inTheWorld = { type: "VOLUME", volsize: VOLSIZE, usedbydataset: 57_344 };

describe("what may be taken away", () => {
  const judge = (entries: Entry[], facts: { vms?: object[]; zvols?: Record<string, object>; homes?: string[] }) =>
    leftoversOf(entries, {
      owners: new Set(facts.homes ?? [HOME]),
      vms: (facts.vms ?? []) as never,
      zvols: new Map(Object.entries(facts.zvols ?? {})) as never,
    }).map(({ verdict, why }) => `${verdict}: ${why}`);

  test.each([
    ["a VM that was never started", [vmEntry()], { vms: [vm()] }, ["safe: never started"]],
    ["a VM whose number was not noted before the kill", [vmEntry({})], { vms: [vm()] }, ["safe: never started"]],
    ["a VM that is not there", [vmEntry()], {}, ["gone: no such VM"]],
    ["a VM that runs", [vmEntry()], { vms: [vm({ status: { state: "RUNNING" } })] }, ["kept: it is running; task vm:deploy finishes it"]],
    [
      "a VM that we tried to start",
      [vmEntry({ id: 7, startAttempted: true })],
      { vms: [vm()] },
      ["kept: it was started: its disks may hold data; task vm:deploy finishes it, or delete it on the NAS"],
    ],
    ["a VM that took the name later", [vmEntry({ id: 6 })], { vms: [vm()] }, ["kept: another VM has its name now"]],
    ["a VM of another NAS", [vmEntry()], { homes: ["pool flashstor 99"], vms: [vm()] }, ["kept: it belongs to another NAS"]],
    ["a free zvol of ours", [zvolEntry()], { zvols: { [ZVOL]: zvol() } }, ["safe: made for a VM that was never started"]],
    ["a zvol that is not there", [zvolEntry()], {}, ["gone: no such zvol"]],
    ["a zvol of another NAS", [entry("zvol", ZVOL, {}, "pool tank 5")], { zvols: { [ZVOL]: zvol() } }, ["kept: it belongs to another NAS"]],
    ["a zvol that a VM has", [zvolEntry()], { vms: [vm({ name: "db" })], zvols: { [ZVOL]: zvol() } }, ["kept: it is a disk of VM db"]],
    [
      "a zvol of another size",
      [zvolEntry()],
      { zvols: { [ZVOL]: zvol({ volsize: 5 }) } },
      ["kept: it has another size than the one that was made"],
    ],
    ["a zvol with data", [zvolEntry()], { zvols: { [ZVOL]: zvol({ own: 2_000_000_000 }) } }, ["kept: it holds 2000 MB"]],
    [
      "a zvol whose data nobody has counted",
      [zvolEntry()],
      { zvols: { [ZVOL]: zvol({ own: undefined }) } },
      ["kept: TrueNAS does not say how much data it holds"],
    ],
    [
      "VM and disk: the disk is free once the VM is gone",
      [zvolEntry(), vmEntry()],
      { vms: [vm()], zvols: { [ZVOL]: zvol() } },
      ["safe: never started", "safe: made for a VM that was never started"],
    ],
    [
      "the disk of a VM that was started and then deleted by hand",
      [vmEntry({ startAttempted: true }), zvolEntry()],
      { zvols: { [ZVOL]: zvol() } },
      ["gone: no such VM", "kept: its VM was started: it may hold data"],
    ],
  ])("%s", (_, entries, facts, verdicts) => expect(judge(entries, facts)).toEqual(verdicts));
});

describe("taking away", () => {
  let lab: Recording;
  beforeEach(async () => void (lab = await record()));
  const world = (): Partial<FakeWorld> => ({ vms: [vm()] as never, datasets: { [ZVOL]: inTheWorld } });
  /** Looks, has that confirmed, and undoes; `meanwhile` happens while the question is open. */
  const undo = async (nas: ReturnType<typeof fakeNas>, entries: Entry[], meanwhile = () => {}) => {
    const confirmed = leftoversOf(entries, await readNasFacts(nas, entries));
    meanwhile();
    return (await undoEntries({ ...lab.context, nas }, entries, confirmed)).left;
  };
  const written = async () => [await lab.context.ledger.open(zvolEntry()), await lab.context.ledger.open(vmEntry())];

  test("the VM first, then its disk; both are struck out", async () => {
    const nas = fakeNas(world());
    expect(await undo(nas, await written())).toEqual([]);
    expect(nas.sent).toEqual([
      ["vm.delete", [7, { zvols: false, force: false }]],
      ["pool.dataset.delete", [ZVOL, { recursive: false, force: false }]],
    ]);
    expect(lab.ledger).toEqual([]);
    expect(lab.said).toEqual(["deleted VM k8s_0", `deleted zvol ${ZVOL}`]);
  });

  test("a disk that is busy for a moment is tried again, whether TrueNAS refuses or lies", async () => {
    const nas = fakeNas(world());
    nas.upset["pool.dataset.delete"] = [refusal("pool.dataset.delete", "[EBUSY] dataset is busy", 16), "lies", "lost before"];
    expect(await undo(nas, await written())).toEqual([]);
    expect(nas.acts.filter((line) => line.startsWith("pool.dataset.delete"))).toHaveLength(4);
  });

  test("a deletion that is refused leaves the entry and says why; its disk stays too", async () => {
    const nas = fakeNas(world());
    nas.upset["vm.delete"] = [refusal("vm.delete", "[EFAULT] libvirt says no")];
    const left = await undo(nas, await written());
    expect(left.map(({ entry: { kind }, why }) => `${kind}: ${why}`)).toEqual([
      "vm: [EFAULT] libvirt says no",
      'zvol: it is a disk of VM k8s_0; it was shown as "can be undone" (made for a VM that was never started), so nothing was done',
    ]);
    expect(lab.ledger).toHaveLength(2);
    expect(nas.world.datasets[ZVOL]).toBeDefined();
  });

  test("a VM that TrueNAS says is deleted and still lists stays in the ledger", async () => {
    const nas = fakeNas(world());
    nas.upset["vm.delete"] = ["lies"];
    expect((await undo(nas, await written()))[0]?.why).toBe("TrueNAS still lists it");
    expect(lab.ledger).toHaveLength(2);
  });

  test.each<[string, Partial<FakeWorld>, (world: FakeWorld) => unknown, "vm" | "zvol"]>([
    ["a zvol that was gone and exists again", {}, (world) => (world.datasets[ZVOL] = inTheWorld), "zvol"],
    ["a VM that was gone and exists again", { datasets: { [ZVOL]: inTheWorld } }, (world) => world.vms.push(vm() as never), "vm"],
    ["a VM that was started meanwhile", { vms: [vm()] as never }, (world) => (world.vms[0]!.status.state = "RUNNING"), "vm"],
    ["a VM that another of the same name replaced", { vms: [vm()] as never }, (world) => (world.vms[0]!.id = 8), "vm"],
    ["a zvol that got data", { datasets: { [ZVOL]: inTheWorld } }, (world) => (world.datasets[ZVOL] = { ...inTheWorld, usedbydataset: 9e9 }), "zvol"],
    ["a zvol that is gone", { datasets: { [ZVOL]: inTheWorld } }, (world) => delete world.datasets[ZVOL], "zvol"],
  ])("%s between the question and the act is left alone, and so is its entry", async (_what, before, meanwhile, kind) => {
    const nas = fakeNas(structuredClone(before));
    const wanted = kind === "vm" ? vmEntry({}) : zvolEntry();
    const entries = [await lab.context.ledger.open(wanted)];
    const left = await undo(nas, entries, () => meanwhile(nas.world));
    expect(left).toHaveLength(1);
    expect(left[0]!.why).toContain("nothing was done");
    expect([nas.acts, lab.ledger.length]).toEqual([[], 1]);
  }); // prettier-ignore

  test("a lost reply does not matter: it looks", async () => {
    const nas = fakeNas(world());
    nas.upset["vm.delete"] = ["lost after"];
    expect(await undo(nas, await written())).toEqual([]);
  });
});
