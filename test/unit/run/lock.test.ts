// One changing run at a time: by scope, for good only while the holder lives.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Holder, lockFolder, takeLock } from "../../../scripts/lib/run/lock.ts";
import { startOf } from "../../../scripts/lib/run/process-start.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "locks-"))));

const AT = new Date("2026-02-03T04:05:06Z");
const holds = (file: string, holder: Partial<Holder>) =>
  writeFileSync(
    join(folder, file),
    JSON.stringify({
      procedure: "talos:apply",
      pid: process.pid,
      started: startOf(process.pid),
      host: hostname(),
      at: AT.toISOString(),
      ...holder,
    }),
  );

describe("a lock that is held", () => {
  test("refuses at once and names the run that holds it", () => {
    takeLock(folder, "home", "talos:apply", AT);
    expect(() => takeLock(folder, "home", "secrets:init")).toThrow(
      `could not start secrets:init\n  said: talos:apply is running (process ${process.pid}, since 2026-02-03 04:05 UTC)\n  now:  nothing was changed\n  next: wait until it has ended, then: task secrets:init`,
    );
  });
  test("is free again once it is released", () => {
    takeLock(folder, "home", "talos:apply").release();
    expect(takeLock(folder, "home", "secrets:init").tookOver).toBeUndefined();
  });
  test("stays with its holder when a refused run ends", () => {
    takeLock(folder, "home", "talos:apply");
    expect(() => takeLock(folder, "home", "secrets:init")).toThrow();
    expect(readdirSync(folder)).toEqual(["home.lock"]);
  });
});

describe("scopes", () => {
  test("two apps do not conflict", () => {
    takeLock(folder, { app: "radarr" }, "flux:apply");
    expect(() => takeLock(folder, { app: "sonarr" }, "flux:apply")).not.toThrow();
  });
  test.each([
    [{ app: "radarr" }, { app: "media/radarr" }],
    [{ app: "radarr" }, "home"],
    ["home", { app: "radarr" }],
  ] as const)("%j conflicts with %j", (first, second) => {
    takeLock(folder, first, "flux:apply");
    expect(() => takeLock(folder, second, "flux:delete")).toThrow("flux:apply is running");
  });
  test("a refused run leaves no lock of its own", () => {
    takeLock(folder, { app: "radarr" }, "flux:apply");
    expect(() => takeLock(folder, "home", "talos:apply")).toThrow();
    expect(readdirSync(folder)).toEqual(["app-radarr.lock"]);
  });
});

describe("a dead holder's lock", () => {
  test("is taken over and reported", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => child.once("exit", resolve));
    holds("home.lock", { pid: child.pid!, started: "1" });
    expect(takeLock(folder, "home", "vm:deploy").tookOver).toMatchObject({ procedure: "talos:apply", pid: child.pid });
  });
  test("is taken over when its pid belongs to another process now", () => {
    holds("home.lock", { started: "1" });
    expect(takeLock(folder, "home", "vm:deploy").tookOver).toMatchObject({ pid: process.pid });
  });
  test("of another scope does not block", () => {
    holds("app-radarr.lock", { started: "1" });
    expect(() => takeLock(folder, "home", "vm:deploy")).not.toThrow();
  });
  test("is not assumed dead when it is on another machine", () => {
    holds("home.lock", { host: "nas", started: "1" });
    expect(() => takeLock(folder, "home", "vm:deploy")).toThrow("talos:apply is running (process");
  });
  test("a torn lock file is replaced", () => {
    writeFileSync(join(folder, "home.lock"), '{"pid":');
    expect(() => takeLock(folder, "home", "vm:deploy")).not.toThrow();
  });
});

test("of several runs that start at the same moment exactly one gets the lock", async () => {
  const script = `
    const { takeLock } = await import(${JSON.stringify(join(process.cwd(), "scripts/lib/run/lock.ts"))});
    try { takeLock(${JSON.stringify(folder)}, "home", "vm:deploy"); console.log("got it"); setTimeout(() => {}, 3000); } catch { console.log("refused"); }`;
  holds("home.lock", { started: "1" }); // a dead holder makes them all try to take over
  const runs = Array.from({ length: 6 }, () => spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]));
  const said = await Promise.all(
    runs.map((run) => new Promise<string>((resolve) => run.stdout.once("data", (text) => resolve(String(text).trim())))),
  );
  for (const run of runs) run.kill("SIGKILL");
  expect(said.filter((word) => word === "got it")).toHaveLength(1);
}, 60_000);

test("the folder is outside the checkout, per cluster", () =>
  expect([lockFolder({ XDG_STATE_HOME: "/state" }, "home ops"), lockFolder({ HOME: "/home/op" }, "x")]).toEqual([
    "/state/home-ops/home_ops",
    "/home/op/.local/state/home-ops/x",
  ]));

test("a state folder that cannot be written is one line with the way out", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(() => takeLock(join(file, "x"), "home", "vm:deploy")).toThrow(
    /^could not lock the home for vm:deploy\n {2}said: ENOTDIR.*\n.*\n {2}next: make .* writable, or set XDG_STATE_HOME/,
  );
});
