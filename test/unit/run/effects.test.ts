// Files, ledger and report: whole or not at all, and nothing of it in a dry run.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { effect, effectsSoFar, openGate } from "../../../scripts/lib/run/effects.ts";
import { readIfThere, removeFile, writeFile } from "../../../scripts/lib/run/files.ts";
import { openLedger } from "../../../scripts/lib/ledger/ledger.ts";
import { forgetSecrets, hide, redact } from "../../../scripts/lib/run/redact.ts";
import { openReport, silentReport } from "../../../scripts/lib/run/report.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "home-ops-"));
  openGate(silentReport, false);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a written file", () => {
  test("has the text and the mode, and no draft beside it", async () => {
    const file = join(folder, "deep", "kubeconfig");
    await writeFile(file, "secret\n", { mode: 0o600 });
    expect(readFileSync(file, "utf8")).toBe("secret\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "deep"))).toEqual(["kubeconfig"]);
  });
  test("takes away the drafts of runs that were killed, of whatever file, not that of one that lives", async () => {
    writeFileSync(join(folder, ".b.999999999.aaaaaaaa.draft"), "");
    writeFileSync(join(folder, `.a.${process.pid}.bbbbbbbb.draft`), "");
    await writeFile(join(folder, "a"), "x");
    expect(readdirSync(folder).sort()).toEqual([`.a.${process.pid}.bbbbbbbb.draft`, "a"]);
  });
  test("leaves the old text and no draft when it cannot be put in place", async () => {
    mkdirSync(join(folder, "a"));
    await expect(writeFile(join(folder, "a"), "x")).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(["a"]);
  });
  test("is not written in a dry run", async () => {
    openGate(silentReport, true);
    await expect(writeFile(join(folder, "a"), "x")).rejects.toThrow("a dry run tried to change something: write");
    await expect(removeFile(join(folder, "a"))).rejects.toThrow("a dry run tried to change something: remove");
    expect(readdirSync(folder)).toEqual([]);
  });
  test("is neither written nor removed after an abort", async () => {
    const stop = new AbortController();
    openGate(silentReport, false, stop.signal);
    writeFileSync(join(folder, "a"), "old");
    stop.abort(new Error("interrupted by SIGINT"));
    await expect(writeFile(join(folder, "a"), "x")).rejects.toThrow("interrupted by SIGINT");
    await expect(removeFile(join(folder, "a"))).rejects.toThrow("interrupted by SIGINT");
    expect([readFileSync(join(folder, "a"), "utf8"), effectsSoFar()]).toEqual(["old", 0]);
  });
  test("that is not there reads as undefined; what cannot be read throws", async () => {
    expect(await readIfThere(join(folder, "none"))).toBeUndefined();
    await expect(readIfThere(folder)).rejects.toThrow("EISDIR");
  });
});

describe("the ledger", () => {
  const entry = { kind: "zvol" as const, name: "tank/VM/a-boot", owner: { nas: "nas-1" }, procedure: "vm:deploy", facts: {} };
  test("keeps what was opened until it is closed", async () => {
    const ledger = openLedger(folder, () => new Date("2026-01-02T03:04:05Z"));
    const opened = await ledger.open(entry);
    expect(opened.id).toBe("2026-01-02T03-04-05.000Z-zvol-tank_VM_a-boot");
    await ledger.amend(opened, { id: 7 });
    expect(openLedger(folder).entries()).toEqual([{ ...opened, facts: { id: 7 } }]);
    await ledger.close(opened);
    expect(ledger.entries()).toEqual([]);
  });
  test("takes no new entry after an abort, but records what became of the entries that it has", async () => {
    const stop = new AbortController();
    openGate(silentReport, false, stop.signal);
    const ledger = openLedger(folder);
    const opened = await ledger.open(entry);
    stop.abort(new Error("interrupted by SIGINT"));
    await expect(ledger.open({ ...entry, name: "tank/VM/b-boot" })).rejects.toThrow("interrupted by SIGINT");
    const kept = await ledger.keep(await ledger.amend(opened, { id: 7 }));
    expect(ledger.entries()).toEqual([{ ...opened, facts: { id: 7 }, onPurpose: true }]);
    await ledger.close(kept);
    expect(ledger.entries()).toEqual([]);
  });
});

test("no effect begins after an abort, except one that ends or undoes another, or that has a signal of its own", async () => {
  const stop = new AbortController();
  openGate(silentReport, false, stop.signal);
  stop.abort(new Error("interrupted by SIGINT"));
  const begun: string[] = [];
  const act = (name: string) => async () => void begun.push(name);
  await expect(effect("command", "a", act("a"))).rejects.toThrow("interrupted by SIGINT");
  await effect("file", "b", act("b"), "finishing");
  await effect("nas", "c", act("c"), AbortSignal.timeout(60_000));
  await expect(effect("nas", "d", act("d"), AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  expect([begun, effectsSoFar()]).toEqual([["b", "c"], 2]);
});

describe("the report", () => {
  test("is one JSON line per event, private, and keeps the newest 200 runs", () => {
    for (let i = 0; i < 203; i += 1) openReport(folder, "talos:apply", () => new Date(i * 1000)).write({ event: "waived", gate: "ceph" });
    const names = readdirSync(join(folder, "runs"));
    expect(names.length).toBeLessThanOrEqual(201);
    const newest = join(folder, "runs", names.sort().at(-1)!);
    expect(JSON.parse(readFileSync(newest, "utf8"))).toEqual({ at: "1970-01-01T00:03:22.000Z", event: "waived", gate: "ceph" });
    expect(statSync(newest).mode & 0o777).toBe(0o600);
  });
});

describe("redaction", () => {
  afterEach(forgetSecrets);
  test("hides a secret, each of its lines and its base64", () => {
    hide(["first line\nsecond line", "p@ss.w*rd"]);
    expect(redact(`a first line b second line c p@ss.w*rd ${Buffer.from("p@ss.w*rd").toString("base64")}`)).toBe(
      "a ******** b ******** c ******** ********",
    );
  });
  test("hides what is called a password even when it was never seen", () => {
    expect(redact('{"password": "x y\\"z", "name": "a"}')).toBe('{"password": "********", "name": "a"}');
    expect(redact("password: null, token: abc")).toBe("password: null, token: ********");
  });
  test("leaves short values and other text alone", () => {
    hide(["abc"]);
    expect(redact("abc, a tokenizer")).toBe("abc, a tokenizer");
  });
});
