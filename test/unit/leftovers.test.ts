import { beforeEach, expect, test, vi } from "vitest";
import { Failure } from "../../scripts/lib/errors.ts";
import type { Entry } from "../../scripts/lib/ledger.ts";
import { record, type RecordSetup } from "./recorder.ts";
import { type FakeNas, fakeNas, HOME, refusal } from "./truenas/fake-nas.ts";

const home = vi.hoisted(() => ({ connect: undefined as unknown as () => unknown }));
vi.mock("../../scripts/lib/truenas/nas.ts", () => ({ connectNas: async () => home.connect() }));
const { leftovers } = await import("../../scripts/leftovers.ts");

const ZVOL = "flashstor/VM/k8s_0-boot";
const VOLSIZE = 500_000_882_688;
let nas: FakeNas;
beforeEach(() => {
  nas = fakeNas({ datasets: { [ZVOL]: { type: "VOLUME", volsize: VOLSIZE, usedbydataset: 57_344 } } });
  home.connect = () => nas;
});

const zvol: Omit<Entry, "id"> = {
  kind: "zvol",
  name: ZVOL,
  home: HOME,
  procedure: "vm:deploy",
  at: "2026-01-02T03:04:05.000Z",
  facts: { node: "k8s-0", volsize: VOLSIZE },
};
const run = async (entries: Omit<Entry, "id">[], undo = false, setup: RecordSetup = {}) => {
  const lab = await record(setup);
  lab.ledger.push(...entries.map((entry, at) => ({ id: String(at), ...entry })));
  const ended = await lab.run(leftovers, { undo });
  return { ...lab, message: ended instanceof Error ? ended.message : undefined };
};

test("nothing", async () => expect((await run([])).said).toEqual(["nothing is left over"]));

test("a list of what is there and what can be done about it", async () => {
  const { said, results } = await run([zvol, { ...zvol, name: "flashstor/VM/k8s_1-boot" }, { ...zvol, home: "pool tank 9" }]);
  expect(said[0]!.split("\n").map((line) => line.split(/\s{2,}/))).toEqual([
    ["what", "name", "since", "by", "now", "why"],
    ["zvol", ZVOL, "2026-01-02 03:04", "vm:deploy", "can be undone", "made for a VM that was never started"],
    ["zvol", "flashstor/VM/k8s_1-boot", "2026-01-02 03:04", "vm:deploy", "not there any more", "no such zvol"],
    ["zvol", ZVOL, "2026-01-02 03:04", "vm:deploy", "stays", "it belongs to another NAS"],
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
  expect((await run([{ ...zvol, kind: "cordon" }])).results[0]).toMatchObject([
    { verdict: "unknown", why: "nobody here knows what a cordon is" },
  ]));

test("UNDO=1 asks for the cluster's name, deletes what is safe and strikes out what is gone", async () => {
  const { plans, ledger, said, message } = await run([zvol, { ...zvol, name: "flashstor/VM/k8s_1-boot" }], true);
  expect(message).toBeUndefined();
  expect(plans[0]).toEqual({
    title: "leftovers: undo",
    lines: [`undo zvol ${ZVOL}`, "remove the ledger entry of zvol flashstor/VM/k8s_1-boot"],
    destroys: { what: [`zvol ${ZVOL}`], name: "home-ops-cluster" },
  });
  expect(nas.acts).toEqual([`pool.dataset.delete ${ZVOL}`]);
  expect(ledger).toEqual([]);
  expect(said.at(-1)).toBe("undone: 2 of 2");
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
  const { message, ledger } = await run([{ ...zvol, home: "pool flashstor 99" }], true);
  expect(message).toContain("it belongs to another NAS");
  expect([nas.acts, ledger.length]).toEqual([[], 1]);
});

test("what could not be deleted stays and is told", async () => {
  nas.upset["pool.dataset.delete"] = [refusal("pool.dataset.delete", "[EFAULT] zvol has clones")];
  const { message, ledger } = await run([zvol], true);
  expect(message).toContain(`zvol ${ZVOL}: [EFAULT] zvol has clones`);
  expect(ledger).toHaveLength(1);
});
