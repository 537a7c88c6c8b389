// A state folder that cannot be used is one line that names it and HOME_OPS_STATE.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Failure } from "../../../scripts/lib/run/errors.ts";
import { openLedger } from "../../../scripts/lib/ledger/ledger.ts";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { openReport, silentReport } from "../../../scripts/lib/run/report.ts";
import { inState } from "../../../scripts/lib/run/state-folder.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "state-"))));
afterAll(() => rmSync(folder, { recursive: true }));
const errno = (code: string) => Object.assign(new Error(`${code}: refused, write`), { code, syscall: "write" });

test.each([
  ["ENOSPC", "is full"],
  ["EDQUOT", "is full (quota)"],
  ["EROFS", "is read-only"],
  ["EACCES", "is not accessible to this user"],
  ["ENOTDIR", "is not a folder"],
  ["EIO", "cannot be used (EIO)"],
])("%s: it %s", async (code, why) => {
  const line = `the state folder /home/me/state ${why}: fix that, or set HOME_OPS_STATE to another folder (${code}: refused, write)`;
  const refuse = () => {
    throw errno(code);
  };
  expect(() => inState("/home/me/state", refuse)).toThrow(line);
  await expect(inState("/home/me/state", async () => refuse())).rejects.toThrow(line);
  expect(line).not.toContain("\n");
});
test("another error stays as it is", () => {
  expect(() =>
    inState("/s", () => {
      throw new TypeError("a defect");
    }),
  ).toThrow(TypeError);
});

describe("a file in the place of the folder", () => {
  const file = () => join(folder, "file");
  beforeAll(() => {
    writeFileSync(file(), "");
    openGate(silentReport, false);
  });
  const message = () =>
    expect.objectContaining({ message: expect.stringContaining(`the state folder ${file()} is not a folder`) as string });
  const thrownBy = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  test("stops the report", () => {
    const error = thrownBy(() => openReport(file(), "talos:apply"));
    expect(error).toEqual(message());
    expect(error).toBeInstanceOf(Failure);
  });
  test("stops the ledger, before the change that it writes down, and when it is read", async () => {
    const ledger = openLedger(file());
    await expect(ledger.open({ kind: "zvol", name: "a", owner: { nas: "h" }, procedure: "vm:deploy", facts: {} })).rejects.toEqual(
      message(),
    );
    expect(thrownBy(() => ledger.entries())).toEqual(message());
  });
});

test("a report that breaks during the run stops it once; what is undone afterwards is not stopped", () => {
  const state = join(folder, "state");
  mkdirSync(state);
  const report = openReport(state, "talos:apply");
  report.write({ event: "waived", gate: "a" });
  rmSync(join(state, "runs"), { recursive: true });
  expect(() => report.write({ event: "waived", gate: "b" })).toThrow(`the state folder ${state} cannot be used (ENOENT)`);
  expect(() => report.write({ event: "waived", gate: "c" })).not.toThrow();
});
