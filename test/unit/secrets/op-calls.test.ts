// op-js in a process of its own: answers and failures come back, and Ctrl-C ends an `op` that hangs.
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { callOp, OpError } from "../../../scripts/lib/secrets/op-calls.ts";
import { openShell } from "../../../scripts/lib/run/shell.ts";

const bin = mkdtempSync(join(tmpdir(), "op-")); // one for all: the process keeps the PATH that it was started with
let stop: AbortController;
beforeEach(async () => {
  vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
  stop = new AbortController();
  await openShell({ signal: stop.signal, env: process.env, cwd: process.cwd() });
});
afterEach(() => {
  stop.abort(new Error("the test is over"));
  vi.unstubAllEnvs();
});

/** An `op` that does what these lines of sh say. */
function op(lines: string): void {
  writeFileSync(join(bin, "op"), `#!/bin/sh\n${lines}\n`);
  chmodSync(join(bin, "op"), 0o755);
}
const hasEnded = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};
const until = async (seen: () => boolean) => {
  while (!seen()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const read = (file: string) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

test("an answer comes back", async () => {
  op(`echo '[{"id":"1","title":"talos"}]'`);
  expect(await callOp("item.list", { vault: "Infrastructure" })).toEqual([{ id: "1", title: "talos" }]);
}, 60_000);

test("a failure comes back in op's own words", async () => {
  op(`echo '[ERROR] 2026/06/01 12:00:00 account is not signed in' >&2; exit 1`);
  const error = await callOp("item.list", { vault: "x" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpError);
  expect((error as OpError).originalMessage ?? (error as OpError).message).toContain("account is not signed in");
}, 60_000);

test("Ctrl-C ends the call at once, and the op that hangs", async () => {
  op(`echo $$ > ${bin}/pid; sleep 600`);
  const call = callOp("item.list", { vault: "x" }).catch((thrown: Error) => thrown.message);
  await until(() => read(join(bin, "pid")).endsWith("\n"));
  stop.abort(new Error("interrupted by SIGINT"));
  expect(await call).toBe("interrupted by SIGINT");
  await until(() => hasEnded(Number(read(join(bin, "pid")))));
}, 60_000);
