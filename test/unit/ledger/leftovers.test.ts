import { beforeEach, describe, expect, test, vi } from "vitest";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import type { Entry, EntryOf } from "../../../scripts/lib/ledger/entry.ts";
import { record, type RecordSetup } from "../recorder.ts";
import { type FakeNas, fakeNas, HOME, refusal } from "../truenas/fake-nas.ts";

const home = vi.hoisted(() => ({ connect: undefined as unknown as () => unknown }));
vi.mock("../../../scripts/lib/truenas/nas.ts", () => ({ connectNas: async () => home.connect() }));
const { leftovers } = await import("../../../scripts/leftovers.ts");

const ZVOL = "flashstor/VM/k8s_0-boot";
const VOLSIZE = 500_000_882_688;
let nas: FakeNas;
beforeEach(() => {
  nas = fakeNas({ datasets: { [ZVOL]: { type: "VOLUME", volsize: VOLSIZE, usedbydataset: 57_344 } } });
  home.connect = () => nas;
});

const zvol: Omit<EntryOf<"zvol">, "id"> = {
  kind: "zvol",
  name: ZVOL,
  owner: { nas: HOME },
  procedure: "vm:deploy",
  at: "2026-01-02T03:04:05.000Z",
  facts: { node: "k8s-0", volsize: VOLSIZE },
};
const run = async (entries: Omit<Entry, "id">[], undo = false, setup: RecordSetup = {}, name?: string) => {
  const lab = await record(setup);
  lab.ledger.push(...entries.map((entry, at) => ({ id: String(at), ...entry }) as Entry));
  const ended = await lab.run(leftovers, { undo, name });
  return { ...lab, message: ended instanceof Error ? ended.message : undefined };
};

test("nothing", async () => expect((await run([])).said).toEqual(["nothing is left over"]));

test("a list of what is there and what can be done about it", async () => {
  const { said, results } = await run([zvol, { ...zvol, name: "flashstor/VM/k8s_1-boot" }, { ...zvol, owner: { nas: "pool tank 9" } }]);
  expect(said[0]!.split("\n").map((line) => line.split(/\s{2,}/))).toEqual([
    ["what", "name", "since", "by", "left", "now", "why"],
    ["zvol", ZVOL, "2026-01-02 03:04", "vm:deploy", "interrupted", "can be undone", "made for a VM that was never started"],
    ["zvol", "flashstor/VM/k8s_1-boot", "2026-01-02 03:04", "vm:deploy", "interrupted", "does not exist any more", "no such zvol"],
    ["zvol", ZVOL, "2026-01-02 03:04", "vm:deploy", "interrupted", "stays", "it belongs to another NAS"],
  ]);
  expect(said[1]).toBe("UNDO=1 undoes what can be undone");
  expect(results[0]).toMatchObject([{ verdict: "safe", destroys: `zvol ${ZVOL}` }, { verdict: "gone" }, { verdict: "kept" }]);
  expect(nas.acts).toEqual([]);
});

test("a NAS that does not answer makes its entries unknown, not bad", async () => {
  home.connect = () => {
    throw new Failure({ attempted: "wait for TrueNAS to answer within 20 s" });
  };
  const { results, message } = await run([zvol]);
  expect(message).toBeUndefined();
  expect(results[0]).toMatchObject([{ verdict: "unknown", why: "could not wait for TrueNAS to answer within 20 s" }]);
});

test("a kind that nobody knows is listed", async () =>
  expect((await run([{ ...zvol, kind: "cordon" as "zvol" }])).results[0]).toMatchObject([
    { verdict: "unknown", why: 'this version does not know the kind "cordon"' },
  ]));

test("UNDO=1 asks for the name of what it deletes, deletes what is safe and strikes out what is gone", async () => {
  const { plans, ledger, said, message } = await run([zvol, { ...zvol, name: "flashstor/VM/k8s_1-boot" }], true);
  expect(message).toBeUndefined();
  expect(plans[0]).toEqual({
    title: "leftovers: undo",
    lines: [`undo zvol ${ZVOL}`, "remove the ledger entry of zvol flashstor/VM/k8s_1-boot"],
    destroys: { what: [`zvol ${ZVOL}`], name: ZVOL },
  });
  expect(nas.acts).toEqual([`pool.dataset.delete ${ZVOL}`]);
  expect(ledger).toEqual([]);
  expect(said.at(-1)).toBe(`undone: 2\n  zvol ${ZVOL}\n  zvol flashstor/VM/k8s_1-boot: only its ledger entry was removed\nleft: 0`);
});

test("only gone things: nothing is destroyed, no name to type", async () => {
  nas.world.datasets = {};
  expect((await run([zvol], true)).plans[0]!.destroys).toBeUndefined();
});

test("a dry run deletes nothing", async () => {
  await run([zvol], true, { dryRun: true });
  expect(nas.acts).toEqual([]);
});

test("entries of another home are refused", async () => {
  const { message, ledger } = await run([{ ...zvol, owner: { nas: "pool flashstor 99" } }], true);
  expect(message).toContain("it belongs to another NAS");
  expect([nas.acts, ledger.length]).toEqual([[], 1]);
});

test("what could not be deleted stays and is told", async () => {
  nas.upset["pool.dataset.delete"] = [refusal("pool.dataset.delete", "[EFAULT] zvol has clones")];
  const { message, ledger } = await run([zvol], true);
  expect(message).toContain(`zvol ${ZVOL}: [EFAULT] zvol has clones`);
  expect(ledger).toHaveLength(1);
});

describe("the result of UNDO=1", () => {
  const foreign = { ...zvol, name: "tank/VM/x", owner: { nas: "pool tank 9" } };
  test("is what was undone and what is left, never the list from before", async () => {
    const { results } = await run([zvol, foreign], true);
    expect(results).toEqual([
      {
        undone: [expect.objectContaining({ name: ZVOL, verdict: "safe" })],
        left: [expect.objectContaining({ name: "tank/VM/x", verdict: "kept", why: "it belongs to another NAS" })],
      },
    ]);
  });
  test("names what could not be undone, beside the error", async () => {
    nas.upset["pool.dataset.delete"] = [refusal("pool.dataset.delete", "[EFAULT] zvol has clones")];
    const { results, message } = await run([zvol], true);
    expect(message).toContain("zvol has clones");
    expect(results).toMatchObject([{ undone: [], left: [{ name: ZVOL, why: "[EFAULT] zvol has clones" }] }]);
  });
  test("is there when nothing could be undone, and when nothing is left over", async () => {
    expect((await run([foreign], true)).results).toMatchObject([{ undone: [], left: [{ name: "tank/VM/x" }] }]);
    expect((await run([], true)).results).toEqual([{ undone: [], left: [] }]);
  });
  test("has what a NAS that went away after the question leaves", async () => {
    let connections = 0;
    home.connect = () => {
      connections += 1;
      if (connections === 1) return nas;
      throw new Failure({ attempted: "wait for TrueNAS to answer within 20 s" });
    };
    const { results, ledger } = await run([zvol], true);
    expect(results).toMatchObject([{ undone: [], left: [{ name: ZVOL, verdict: "unknown" }] }]);
    expect(ledger).toHaveLength(1);
  });
  test("of an entry that was shown as gone: what appears after the question is not deleted", async () => {
    const made = nas.world.datasets[ZVOL]!;
    delete nas.world.datasets[ZVOL];
    let connections = 0;
    home.connect = () => {
      connections += 1;
      if (connections === 2) nas.world.datasets[ZVOL] = made; // the act is the second look
      return nas;
    };
    const { message, ledger } = await run([zvol], true);
    expect(message).toContain('it was shown as "does not exist any more"');
    expect([nas.acts, ledger.length]).toEqual([[], 1]);
  });
});

describe("NAME=", () => {
  const other = "flashstor/VM/k8s_1-boot";
  const both = () => [zvol, { ...zvol, name: other, facts: { node: "k8s-1", volsize: VOLSIZE } }];
  beforeEach(() => void (nas.world.datasets[other] = { type: "VOLUME", volsize: VOLSIZE, usedbydataset: 57_344 }));

  test("undoes only that one, and CONFIRM= is its name", async () => {
    const { plans, ledger, said } = await run(both(), true, {}, other);
    expect(plans[0]).toMatchObject({ lines: [`undo zvol ${other}`], destroys: { what: [`zvol ${other}`], name: other } });
    expect(nas.acts).toEqual([`pool.dataset.delete ${other}`]);
    expect(ledger.map(({ name }) => name)).toEqual([ZVOL]);
    expect(said.at(-1)).toBe(`undone: 1\n  zvol ${other}\nleft: 0`);
  });
  test("without it, several names are typed with commas between", async () =>
    expect((await run(both(), true)).plans[0]!.destroys!.name).toBe(`${ZVOL},${other}`));
  test("that no leftover has is an error with the names there are", async () => {
    const { message } = await run(both(), true, {}, "flashstor/VM/k8s_2-boot");
    expect(message).toContain('no leftover is called "flashstor/VM/k8s_2-boot"; did you mean');
    expect(message).toContain(`${ZVOL} ${other}`);
    expect(nas.acts).toEqual([]);
  });
  test("of a disk does not hide that its VM was started", async () => {
    const vm: Omit<Entry, "id"> = { ...zvol, kind: "vm", name: "k8s_0", facts: { node: "k8s-0", id: 7, startAttempted: true } };
    const { message } = await run([zvol, vm], true, {}, ZVOL);
    expect(message).toContain("its VM was started: it may hold data");
    expect(nas.acts).toEqual([]);
  });
});

describe("what was left on purpose", () => {
  const key = "default/echo";
  const entry: Omit<EntryOf<"suspended Kustomization">, "id"> = { ...zvol, facts: {}, kind: "suspended Kustomization", name: key, owner: { cluster: "home-ops-cluster" }, procedure: "flux:delete", onPurpose: true }; // prettier-ignore
  const answers = {
    "kubectl get kustomizations": JSON.stringify({
      items: [{ kind: "Kustomization", metadata: { namespace: "default", name: "echo" }, spec: { suspend: true } }],
    }),
    "kubectl patch": "patched",
    "kubectl get kustomizations.kustomize.toolkit.fluxcd.io echo": JSON.stringify({
      kind: "Kustomization",
      metadata: { namespace: "default", name: "echo" },
      spec: { suspend: false },
    }),
  };
  test("is listed as such, and not undone with the rest", async () => {
    const { said, ledger, commands } = await run([entry, zvol], true, { answers });
    expect(said[0]).toMatch(/suspended Kustomization +default\/echo .* on purpose +can be undone/);
    expect(said[0]).toMatch(/zvol .* interrupted +can be undone/);
    expect(ledger.map(({ name }) => name)).toEqual([key]);
    expect(commands.filter((line) => line.startsWith("act"))).toEqual([]);
  });
  test("is undone by its name", async () => {
    const { ledger, commands } = await run([entry, zvol], true, { answers }, key);
    expect(ledger.map(({ name }) => name)).toEqual([ZVOL]);
    expect(commands.filter((line) => line.startsWith("act kubectl patch"))).toHaveLength(1);
    expect(nas.acts).toEqual([]);
  });
  test("alone: UNDO=1 says how", async () =>
    expect((await run([entry], true, { answers })).message).toContain("UNDO=1 NAME=… undoes what was left on purpose"));
});

test("a file of the ledger that cannot be read is named, and the others are undone", async () => {
  const torn = { file: "/state/ledger/a.json", why: "could not read /state/ledger/a.json: it is cut off" };
  const lab = await record();
  lab.ledger.push({ id: "1", ...zvol });
  lab.context.ledger.torn = () => [torn];
  expect(await lab.run(leftovers, { undo: true, name: undefined })).toBeUndefined();
  expect(lab.said[0]).toContain(`it is unknown what was changed; look at the file, then remove it: ${torn.file}`);
  expect(lab.results).toMatchObject([{ undone: [{ name: ZVOL }], left: [torn] }]);
  expect(nas.acts).toEqual([`pool.dataset.delete ${ZVOL}`]);
});
