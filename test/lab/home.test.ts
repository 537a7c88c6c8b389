// The simulated home itself: what keeps a rehearsal on this machine, what survives a kill, and that its checks can fail.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askHome, environmentOf } from "../simulators/control.ts";
import { readHomeFile, TOOLS } from "../simulators/environment.ts";
import { startHome, type RunningHome } from "../rehearsal/home-process.ts";

const PROJECT = process.cwd();
const run = promisify(execFile);
let home: RunningHome;
beforeAll(async () => void (home = await startHome({ project: PROJECT })));
afterAll(() => home?.close());

const env = (extra: Record<string, string> = {}) => environmentOf(home.folder, extra);
const tool = (name: string, ...words: string[]) => run(join(home.folder, "bin", name), words, { env: env() });
/** A process as the product's are: with the guard, from the project, so that packages are found. */
const script = (text: string, extra: Record<string, string> = {}) =>
  spawnSync(process.execPath, ["--input-type=module", "--eval", text], { cwd: PROJECT, env: env(extra), encoding: "utf8" });
const FETCH = `import { EnvHttpProxyAgent, fetch } from "undici"; import { readFileSync } from "node:fs";
  const ca = readFileSync(process.env.SSL_CERT_FILE); const dispatcher = new EnvHttpProxyAgent({ requestTls: { ca }, connect: { ca } });
  const get = (url, init = {}) => fetch(url, { dispatcher, ...init });`;

describe("the environment", () => {
  test("is an allow-list: nothing of the caller's gets in", () => {
    process.env.OP_SERVICE_ACCOUNT_TOKEN = "of-the-real-home";
    const names = Object.keys(env()).filter((name) => !/^GIT_CONFIG_(KEY|VALUE)_\d+$|^LAB_RUNS$/.test(name));
    expect(names.sort()).toEqual([
      "GIT_ALLOW_PROTOCOL",
      "GIT_CEILING_DIRECTORIES",
      "GIT_CONFIG_COUNT",
      "GIT_CONFIG_GLOBAL",
      "GIT_CONFIG_NOSYSTEM",
      "GIT_SSH_COMMAND",
      "GIT_TERMINAL_PROMPT",
      "HOME",
      "HOME_OPS_PATIENCE",
      "HOME_OPS_STATE",
      "HTTPS_PROXY",
      "KUBECONFIG",
      "LAB_HOME",
      "LANG",
      "NODE_OPTIONS",
      "NO_PROXY",
      "PATH",
      "SOPS_AGE_KEY_FILE",
      "SSL_CERT_FILE",
      "TALOSCONFIG",
      "TERM",
      "TMPDIR",
      "USER",
      "XDG_STATE_HOME",
    ]);
    delete process.env.OP_SERVICE_ACCOUNT_TOKEN;
  });
  test("finds every tool in the home, whatever else is installed", async () => {
    const { stdout } = await run("sh", ["-c", TOOLS.map((name) => `command -v ${name}`).join("; ")], { env: env() });
    expect(stdout.trim().split("\n")).toEqual(TOOLS.map((name) => join(home.folder, "bin", name)));
  });
});

describe("the handshake that reads a node's certificate", () => {
  const handshake = (address: string, extra: Record<string, string> = {}) =>
    script(
      `import { fingerprintAt } from "./scripts/lib/talos/handshake.ts";
       await fingerprintAt("${address}", { env: process.env, signal: new AbortController().signal }).then(console.log, (error) => console.log(error.message));`,
      { NODE_OPTIONS: `--import ${import.meta.resolve("tsx")} ${env().NODE_OPTIONS}`, ...extra },
    );
  test("goes through the home's proxy, which knows that the node is off", () =>
    expect(handshake("192.168.122.10").stdout).toMatch(/^the proxy did not take CONNECT 192\.168\.122\.10:50000/));
  test("is stopped by the guard when it does not", async () => {
    const { refused: before } = (await askHome(home.folder, "evidence")) as { refused: unknown[] };
    const direct = handshake("192.168.122.10", { NO_PROXY: "*" });
    expect([direct.status, direct.stdout]).toEqual([99, "the guard of the simulated home refused a connection to 192.168.122.10\n"]);
    const { refused } = (await askHome(home.folder, "evidence")) as { refused: unknown[] };
    expect(refused).toHaveLength(before.length + 1);
  });
});

describe("a stand-in", () => {
  test("that was not taught a command names it and exits 70", async () => {
    await expect(tool("talosctl", "dashboard", "--nodes", "a b")).rejects.toMatchObject({
      code: 70,
      stderr: "stand-in talosctl was not taught: talosctl dashboard --nodes a b\n",
    });
    await expect(tool("govc", "ls")).rejects.toMatchObject({ code: 70, stderr: "stand-in govc was not taught: govc ls\n" });
  });
  test("opens the path that it is given: from Node, /dev/stdin does not open, through cat it does", async () => {
    const op = join(home.folder, "bin/op");
    const direct = spawnSync(op, ["inject", "--in-file=/dev/stdin"], { input: "a", env: env(), encoding: "utf8" });
    expect(direct).toMatchObject({ status: 1, stderr: expect.stringContaining("open /dev/stdin: no such device or address") });
    const piped = spawnSync("sh", ["-c", 'cat | "$0" inject --in-file=/dev/stdin', op], { input: "a", env: env(), encoding: "utf8" });
    expect(piped).toMatchObject({ status: 0, stdout: "a" });
  });
  test("says so when its home is gone", () => {
    const wrapper = readFileSync(join(home.folder, "bin/op"), "utf8");
    expect(spawnSync("bash", ["-c", wrapper.replace(/port=\d+/, "port=1"), "op", "--version"], { encoding: "utf8" })).toMatchObject({
      status: 71,
      stderr: "stand-in op: the simulated home at port 1 does not answer: connection refused\n",
    });
    expect(
      spawnSync("bash", ["-c", wrapper.replace(/token=\w+/, "token=guessed-by-a-neighbour-of-32-chars"), "op", "--version"], {
        encoding: "utf8",
      }),
    ).toMatchObject({
      status: 71,
      stderr: expect.stringMatching(/^stand-in op: the simulated home at port \d+ does not answer: it hung up\n$/),
    });
  });
  test("is written down with the names of its environment, not the values", async () => {
    await tool("op", "--version");
    const last = ((await askHome(home.folder, "commands", { tool: "op" })) as object[]).at(-1);
    expect(last).toMatchObject({ tool: "op", argv: ["--version"], exit: 0, env: expect.arrayContaining(["TALOSCONFIG"]) });
    expect(JSON.stringify(last)).not.toContain("NODE_OPTIONS");
  });
});

describe("nothing leaves the machine", () => {
  test("a raw connection and a look-up are refused, written down, and fail the run", async () => {
    const guarded = await startHome({ project: PROJECT });
    const ran = spawnSync(
      process.execPath,
      ["--eval", 'require("net").connect(443, "192.168.120.10").on("error", () => require("dns").lookup("example.com", () => {}))'],
      { env: environmentOf(guarded.folder), encoding: "utf8" },
    );
    expect(ran.status).toBe(99);
    expect(await askHome(guarded.folder, "evidence")).toMatchObject({
      refused: [{ what: "a connection to 192.168.120.10" }, { what: "a look-up of example.com" }],
      unexpected: [],
    });
    await guarded.close();
  });
  test("a host that nobody simulates is answered 502 and written down", async () => {
    const asked = await startHome({ project: PROJECT });
    const ran = spawnSync(
      process.execPath,
      ["--input-type=module", "--eval", `${FETCH} await get("https://example.org/").catch(() => process.exit(3));`],
      { cwd: PROJECT, env: environmentOf(asked.folder), encoding: "utf8" },
    );
    expect([ran.status, ran.stderr]).toEqual([3, ""]);
    expect(await askHome(asked.folder, "evidence")).toMatchObject({ refused: [], unexpected: [{ what: "CONNECT example.org:443" }] });
    await asked.close();
  });
  test("children are written down with their words and what is new in their environment", () => {
    script('import { spawnSync } from "node:child_process"; spawnSync("true", ["a", "b"], { env: { ...process.env, SEEN: "1" } });');
    expect(readFileSync(join(home.folder, "spawned.ndjson"), "utf8")).toMatch(/"file":"true","args":\["a","b"\],"env":\["SEEN=1"\]/);
  });
});

describe("the image factory", () => {
  const SCHEMATIC = "customization:\\n  systemExtensions:\\n    officialExtensions: [siderolabs/qemu-guest-agent]\\n";
  test("takes a schematic, builds the ISO when asked for its size, and sends who wants it to its storage", () => {
    const ran = script(`${FETCH}
      const posted = await get("https://factory.talos.dev/schematics", { method: "POST", body: "${SCHEMATIC}" });
      const { id } = await posted.json();
      const url = "https://factory.talos.dev/image/" + id + "/v1.13.9/metal-amd64.iso";
      const head = await get(url, { method: "HEAD" });
      const first = await get(url, { redirect: "manual" });
      const iso = Buffer.from(await (await get(url)).arrayBuffer());
      console.log(JSON.stringify([posted.status, head.status, Number(head.headers.get("content-length")), first.status, iso.length, JSON.parse(iso.subarray(0, 512).toString()), id]));`);
    const [posted, head, size, first, bytes, label, id] = JSON.parse(ran.stdout) as [
      number,
      number,
      number,
      number,
      number,
      object,
      string,
    ];
    expect([posted, head, first, size]).toEqual([201, 200, 302, bytes]);
    expect(label).toEqual({ talos: "v1.13.9", schematic: id, platform: "metal" });
  });
  test.each([
    ["schematics", "POST", "nonsense: 1", 400, "field nonsense not found in type schematic.Schematic"],
    [`image/${"0".repeat(64)}/v1.13.9/metal-amd64.iso`, "GET", "", 404, `schematic ID "${"0".repeat(64)}" not found`],
    [
      "image/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba/v1.99.0/metal-amd64.iso",
      "GET",
      "",
      404,
      "version v1.99.0 is not available",
    ],
    [
      "image/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba/v1.13.9/metal-amd64.ssd",
      "GET",
      "",
      400,
      'invalid profile path: "metal-amd64.ssd"',
    ],
    ["version/v1.99.0/extensions/official", "GET", "", 404, "version v1.99.0 is not available"],
  ])("refuses %s", (path, method, body, status, message) => {
    const ran = script(
      `${FETCH} const said = await get("https://factory.talos.dev/${path}", { method: "${method}"${body ? `, body: "${body}"` : ""} }); console.log(said.status, await said.text());`,
    );
    expect(ran.stdout).toMatch(new RegExp(`^${status} `));
    expect(ran.stdout).toContain(message);
  });
});

describe("kills and ends", () => {
  test("a home that was killed goes on where it was, at another port", async () => {
    const folder = mkdtempSync(join(tmpdir(), "home-"));
    const first = await startHome({ project: PROJECT, folder });
    await askHome(folder, "person");
    const before = await askHome(folder, "snapshot");
    process.kill(readHomeFile(folder).pid, "SIGKILL");
    await pause(100);
    const second = await startHome({ project: PROJECT, folder: folder, keep: false });
    expect(await askHome(folder, "snapshot")).toEqual(before);
    const { stdout } = await run(join(folder, "bin/op"), ["read", "op://Operator/talosdeploy/TRUENAS_HOST"], {
      env: environmentOf(folder),
    });
    expect(stdout).toBe(`127.0.0.1:${readHomeFile(folder).nas.port}\n`);
    await second.close();
    await first.close();
    expect(existsSync(folder)).toBe(false);
  });
  test("a run can be killed just before any line about an effect", () => {
    const report = join(home.folder, "tmp/report.ndjson");
    const ran = script(
      `import { appendFileSync } from "node:fs"; for (let n = 1; n <= 4; n += 1) { appendFileSync(${JSON.stringify(report)}, JSON.stringify({ event: "step" }) + "\\n"); appendFileSync(${JSON.stringify(report)}, JSON.stringify({ event: "effect", n }) + "\\n"); }`,
      { LAB_KILL_AT_LINE: "3" },
    );
    expect(ran.signal).toBe("SIGKILL");
    expect(readFileSync(report, "utf8").match(/"n":\d/g)).toEqual(['"n":1', '"n":2']);
  });
  test("a run can be made to wait faster", () => {
    const ran = script(
      `import { setTimeout } from "node:timers/promises"; const began = [performance.now(), Date.now()]; await setTimeout(6000); console.log(Math.round((performance.now() - began[0]) / 3000), Date.now() - began[1] < 5000);`,
      { LAB_HASTE: "60" },
    );
    expect(ran.stdout).toMatch(/^([2-9]|\d\d+) true\n$/);
  });
  test("two homes stand side by side and know nothing of each other; one folder has one home", async () => {
    const other = await startHome({ project: PROJECT });
    await askHome(other.folder, "faults", { on: { "node-slow": 2 } });
    expect(await askHome(other.folder, "status")).toMatchObject({ faults: { "node-slow": 2 } });
    expect(await askHome(home.folder, "status")).toMatchObject({ faults: {} });
    await expect(startHome({ project: PROJECT, folder: other.folder })).rejects.toThrow(/a home is up there already, process \d+/);
    await other.close();
  });
});

describe("the checks can fail", () => {
  test("an unknown fault is refused with the known ones", async () =>
    await expect(askHome(home.folder, "faults", { on: { "node-sl0w": 1 } })).rejects.toThrow(
      /no fault is called node-sl0w: nas-drops-socket /,
    ));
  test("a secret in words, in an environment, in a file or in base64 is found", async () => {
    await askHome(home.folder, "person");
    expect(await askHome(home.folder, "taint")).toEqual([]);
    const { values } = (await askHome(home.folder, "secrets")) as { values: { where: string; value: string }[] };
    const secret = values.find(({ where }) => where === "cloudflare/CLOUDFLARE_DNS_TOKEN")!;
    await tool("op", "read", secret.value).catch(() => {});
    script(`import { spawnSync } from "node:child_process"; spawnSync("true", [], { env: { TOKEN: ${JSON.stringify(secret.value)} } });`);
    mkdirSync(join(home.folder, "state/runs"), { recursive: true });
    writeFileSync(join(home.folder, "state/runs/x.ndjson"), Buffer.from(secret.value).toString("base64"));
    const found = (await askHome(home.folder, "taint")) as { where: string; secret: string }[];
    expect(found.filter((one) => one.secret === secret.where).map(({ where }) => where)).toEqual(
      expect.arrayContaining(["the words of op read", "the words or environment of true", "state/runs/x.ndjson"]),
    );
    rmSync(join(home.folder, "state/runs/x.ndjson"));
  });
  test("credentials that others can read are found", async () => {
    writeFileSync(join(home.folder, "talosconfig"), "context: ''\n", { mode: 0o644 });
    expect(await askHome(home.folder, "taint")).toContainEqual({ where: "talosconfig, which others can read", secret: "its credentials" });
    rmSync(join(home.folder, "talosconfig"));
  });
});
