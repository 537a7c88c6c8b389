// One changing run at a time: by scope, and only while the holder lives.
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decide, type Holder, lockFolder, type LockScope, type Rival, takeLock } from "../../../scripts/lib/run/lock.ts";
import { machineIdentity } from "../../../scripts/lib/run/machine.ts";
import { lookAtProcess, startFromPs } from "../../../scripts/lib/run/process-start.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "locks-"))));
afterEach(() => vi.unstubAllEnvs());

const now = new Date("2026-02-03T04:05:06Z");
const ourStart = () => (lookAtProcess(process.pid) as { started: string }).started;
const locks = () => readdirSync(folder).map((name) => name.replace(/\.\d+\.[0-9a-f]{8}\.lock$/, ""));
/** The lock file of another run. */
function holds(holder: Partial<Holder>, name = "home.1.00000000.lock"): string {
  const whole: Holder = {
    procedure: "talos:apply",
    scope: "home",
    pid: process.pid,
    started: ourStart(),
    machine: machineIdentity(),
    host: hostname(),
    at: now.toISOString(),
    holds: true,
  };
  writeFileSync(join(folder, name), JSON.stringify({ ...whole, ...holder }));
  return join(folder, name);
}

/** What taking the lock reports, and the error with which it ends. */
async function attempt(scope: LockScope, procedure = "vm:deploy") {
  const removed: Partial<Holder>[] = [];
  const error = await takeLock(folder, scope, procedure, { removed: (dead) => void removed.push(dead) }).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  return { error, removed };
}

/** A pid that no process has. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid!;
}

describe("a lock that is held", () => {
  test("refuses at once and names the run that holds it", async () => {
    await takeLock(folder, "home", "talos:apply", { now });
    expect((await attempt("home", "secrets:init")).error).toBe(
      `could not start secrets:init\n  said: talos:apply is running (process ${process.pid}, since 2026-02-03 04:05 UTC)\n  now:  nothing was changed\n  next: wait until it has ended, then: task secrets:init`,
    );
  });
  test("is free again once it is released", async () => {
    (await takeLock(folder, "home", "talos:apply")).release();
    expect(readdirSync(folder)).toEqual([]);
    expect(await attempt("home")).toEqual({ error: undefined, removed: [] });
  });
  test("stays with its holder when a refused run ends", async () => {
    await takeLock(folder, "home", "talos:apply");
    await attempt("home");
    expect(locks()).toEqual(["home"]);
  });
  test("is private and says that it is held", async () => {
    await takeLock(folder, "home", "talos:apply");
    expect(JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), "utf8"))).toMatchObject({ pid: process.pid, holds: true });
  });
});

describe("scopes", () => {
  test("two apps do not conflict", async () => {
    await takeLock(folder, { app: "radarr" }, "flux:apply");
    expect((await attempt({ app: "sonarr" })).error).toBeUndefined();
  });
  test.each([
    [{ app: "radarr" }, { app: "media/radarr" }],
    [{ app: "radarr" }, "home"],
    ["home", { app: "radarr" }],
  ] as const)("%j conflicts with %j", async (first, second) => {
    await takeLock(folder, first, "flux:apply");
    expect((await attempt(second)).error).toContain("flux:apply is running");
    expect(locks()).toEqual([first === "home" ? "home" : "app-radarr"]);
  });
});

describe("a dead run's lock", () => {
  test("is removed and reported", async () => {
    const pid = await deadPid();
    holds({ pid });
    expect(await attempt("home")).toMatchObject({ error: undefined, removed: [{ procedure: "talos:apply", pid }] });
    expect(locks()).toEqual(["home"]);
  });
  test("is removed when its pid belongs to another process now", async () => {
    holds({ started: "1" });
    expect(await attempt("home")).toMatchObject({ error: undefined, removed: [{ pid: process.pid }] });
  });
  test("is removed after the machine has got another name", async () => {
    holds({ pid: await deadPid(), host: "laptop.guest-wifi" });
    expect(await attempt("home")).toMatchObject({ error: undefined, removed: [{ host: "laptop.guest-wifi" }] });
  });
});

describe("a lock of a run that may be alive refuses, and the error names the file to remove", () => {
  test("on another machine", async () => {
    const file = holds({ machine: "another", host: "nas", pid: await deadPid() });
    expect((await attempt("home")).error).toMatch(
      new RegExp(
        `talos:apply is running .* on nas, .*\n.*only nas knows[^]*next: make sure that no other run is active on nas, remove ${file}, then: task vm:deploy$`,
      ),
    );
  });
  test("whose start is unknown", async () => {
    const file = holds({ started: "" });
    expect((await attempt("home")).error).toContain(
      `it is unknown when that run started\n  now:  nothing was changed\n  next: make sure that no other run is active on ${hostname()}, remove ${file}`,
    );
  });
  test("whose file cannot be read", async () => {
    const file = holds({});
    writeFileSync(file, '{"pid":');
    const { error } = await attempt({ app: "radarr" });
    expect(error).toContain(`remove ${file}, then: task vm:deploy`);
  });
});

describe("two runs that start at the same moment", () => {
  const run = (file: string, more: Partial<Holder> = {}) =>
    ({ file, holder: { scope: "home", at: now.toISOString(), holds: false, ...more } as Holder }) satisfies Rival;
  const [a, b] = [run("a"), run("b")];
  test("the first by time, then by name, waits for the other to give up", () =>
    expect([decide(a, [b]), decide(b, [a]), decide(b, [run("a", { at: "2027-01-01T00:00:00.000Z" })])]).toEqual([
      { waitFor: b },
      { heldBy: a },
      { waitFor: run("a", { at: "2027-01-01T00:00:00.000Z" }) },
    ]));
  test("the first gives up when the other holds the lock already", () => {
    const held = run("b", { holds: true });
    expect(decide(a, [held])).toEqual({ heldBy: held });
  });
  test("other apps do not matter", () => expect(decide(run("a", { scope: "radarr" }), [run("b", { scope: "sonarr" })])).toBe("free"));
});

test("of several processes that start at the same moment exactly one gets the lock, each time, over the locks of dead runs", async () => {
  const pid = await deadPid();
  const script = `
    const { takeLock } = await import(${JSON.stringify(join(process.cwd(), "scripts/lib/run/lock.ts"))});
    console.log("ready");
    for await (const chunk of process.stdin)
      for (const round of String(chunk).trim().split("\\n")) {
        try { await takeLock(${JSON.stringify(folder)} + "/" + round, "home", "vm:deploy"); console.log("got it"); } catch (error) { console.log(/^could not start/.test(error.message) ? "refused" : error.stack); }
      }`;
  const runs = Array.from({ length: 5 }, () => spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]));
  const say = (run: (typeof runs)[0]) => new Promise<string>((resolve) => run.stdout.once("data", (text) => resolve(String(text).trim())));
  try {
    await Promise.all(runs.map(say));
    const base = folder;
    for (let round = 0; round < 20; round += 1) {
      folder = join(base, String(round));
      mkdirSync(folder);
      for (const name of ["a", "b", "c"]) holds({ pid }, `home.${pid}.0000000${name}.lock`);
      const said = Promise.all(runs.map(say));
      for (const run of runs) run.stdin.write(`${round}\n`);
      expect((await said).sort()).toEqual(["got it", "refused", "refused", "refused", "refused"]);
      expect(locks()).toEqual(["home"]);
    }
  } finally {
    for (const run of runs) run.kill("SIGKILL");
  }
});

describe("the start of a process on macOS", () => {
  /** Puts a `ps` in the place of the machine's. */
  const ps = (script: string) => {
    writeFileSync(join(folder, "ps"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "ps"), 0o755);
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  };
  test("is asked for in one language and one time zone, whatever the user has", () => {
    vi.stubEnv("TZ", "Pacific/Auckland");
    ps('echo "S+   $LC_ALL $TZ $*"');
    expect(startFromPs(7)).toEqual({ started: "C UTC -o stat= -o lstart= -p 7" });
  });
  test("only exit code 1 means that there is no such process", () => {
    ps("exit 1");
    expect(startFromPs(7)).toBe("gone");
    ps("exit 2");
    expect(startFromPs(7)).toEqual({ unknown: expect.stringContaining("ps") });
    vi.stubEnv("PATH", "/nowhere");
    expect(startFromPs(7)).toEqual({ unknown: expect.stringContaining("ENOENT") });
  });
  test("a zombie has ended", () => {
    ps('echo "Z Tue Dec  1 04:39:21 2026"');
    expect(startFromPs(7)).toBe("gone");
  });
});

test("a machine keeps its identity, which does not contain the machine ID", () => {
  expect(machineIdentity()).toMatch(/^[0-9a-f]{16}$/);
  expect(machineIdentity()).toBe(machineIdentity());
});

test("macOS is identified by its platform UUID", () => {
  writeFileSync(join(folder, "ioreg"), `#!/bin/sh\necho '  "IOPlatformUUID" = "'$UUID'"'\n`);
  chmodSync(join(folder, "ioreg"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  vi.stubEnv("UUID", "A");
  const first = machineIdentity("darwin");
  vi.stubEnv("UUID", "B");
  expect([machineIdentity("darwin") === first, machineIdentity("darwin")]).toEqual([false, machineIdentity("darwin")]);
});

test("the folder is outside the checkout, per cluster", () =>
  expect([lockFolder({ XDG_STATE_HOME: "/state" }, "home ops"), lockFolder({ HOME: "/home/op" }, "x")]).toEqual([
    "/state/home-ops/home_ops",
    "/home/op/.local/state/home-ops/x",
  ]));

test("a state folder that cannot be written is one line with the way out", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(takeLock(join(file, "x"), "home", "vm:deploy")).rejects.toThrow(
    /^could not lock the home for vm:deploy\n {2}said: ENOTDIR.*\n.*\n {2}next: make .* writable, or set XDG_STATE_HOME/,
  );
});
