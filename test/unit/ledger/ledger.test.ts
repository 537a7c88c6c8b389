import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { openLedger } from "../../../scripts/lib/ledger/ledger.ts";
import { silentReport } from "../../../scripts/lib/run/report.ts";

let state: string;
beforeEach(() => {
  openGate(silentReport, false);
  state = mkdtempSync(join(tmpdir(), "ledger-"));
});
const zvol = (name: string) => ({ kind: "zvol" as const, name, owner: { nas: "pool a 1" }, procedure: "vm:deploy", facts: {} });

describe("a file that cannot be read", () => {
  test.each([
    ["empty", "", "it is empty"],
    ["cut off", '{"id":"x","kind":"vm","name":"k8s', "it is cut off after 33 characters"],
    ["of zeros", "\0\0\0\0", "it is not JSON"],
    ["null", "null", "it is null, not an object"],
    ["without a name", '{"id":"x","kind":"vm","home":"h","procedure":"p","at":"t"}', ".name is missing, not a string"],
  ])("%s is named and does not hide the others", async (_what, text, why) => {
    const ledger = openLedger(state);
    await ledger.open(zvol("a"));
    const file = join(state, "ledger", "2026-01-01T00-00-00.000Z-vm-x.json");
    writeFileSync(file, text);
    await ledger.open(zvol("b"));
    expect(ledger.entries().map(({ name }) => name)).toEqual(["a", "b"]);
    expect(ledger.torn()).toEqual([{ file, why: expect.stringContaining(`could not read ${file}: ${why}`) }]);
    await ledger.close(ledger.entries()[0]!);
    expect(ledger.entries().map(({ name }) => name)).toEqual(["b"]);
    expect(readFileSync(file, "utf8")).toBe(text);
  });
});

test("what is kept on purpose says so", async () => {
  const ledger = openLedger(state);
  await ledger.keep(await ledger.open(zvol("a")));
  expect(ledger.entries()).toMatchObject([{ name: "a", onPurpose: true }]);
  expect(readdirSync(join(state, "ledger"))).toHaveLength(1);
});

test("an entry that an older version wrote is read, with the home as its owner", () => {
  const ledger = openLedger(state);
  mkdirSync(join(state, "ledger"));
  const old = { name: "x", procedure: "p", at: "2026-01-01T00:00:00.000Z" };
  writeFileSync(
    join(state, "ledger", "1.json"),
    JSON.stringify({ ...old, id: "1", kind: "vm", home: "pool a 1", facts: { node: "n", id: 7 } }),
  );
  writeFileSync(join(state, "ledger", "2.json"), JSON.stringify({ ...old, id: "2", kind: "suspended Kustomization", home: "cluster-a" }));
  expect(ledger.entries()).toEqual([
    { ...old, id: "1", kind: "vm", owner: { nas: "pool a 1" }, facts: { node: "n", id: 7 } },
    { ...old, id: "2", kind: "suspended Kustomization", owner: { cluster: "cluster-a" }, facts: {} },
  ]);
});
