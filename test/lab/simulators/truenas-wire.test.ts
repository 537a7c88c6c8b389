// The wire of the simulated NAS: paths and versions, envelopes, logins, limits, and connections that are cut.
import { afterEach, describe, expect, test } from "vitest";
import { type Bench, KEY, type NasError, openBench, refusalOf } from "./truenas-client.ts";

let bench: Bench;
afterEach(() => bench?.close());
const VERSIONS = ["25.04.2", "25.10.5", "26.0.0"];
const open = async (...words: Parameters<typeof openBench>) => (bench = await openBench(...words));

describe("paths", () => {
  test("a server lists its versions and refuses others with 404", async () => {
    await open("25.10.5");
    expect(JSON.parse((await bench.get("/api/versions")).text)).toEqual([
      "v25.04.0",
      "v25.04.1",
      "v25.04.2",
      "v25.10.0",
      "v25.10.1",
      "v25.10.2",
      "v25.10.5",
    ]);
    await expect(bench.connect({ path: "/api/v26.0.0" })).rejects.toThrow("404");
    await expect(bench.connect({ path: "/websocket" })).rejects.toThrow("404");
    expect(await bench.get("/api/current")).toEqual({ status: 400, text: 'Can "Upgrade" only to "WebSocket".' });
    expect((await bench.get("/")).status).toBe(404);
  });
  test("the boot id came with 25.10", async () => {
    await open("25.04.2");
    expect((await bench.get("/api/boot_id")).status).toBe(404);
    await bench.close();
    await open("26.0.0");
    const client = await bench.connect({ login: false });
    expect(JSON.parse((await bench.get("/api/boot_id")).text)).toBe(await client.call("system.boot_id"));
  });
  test("older paths speak older parameters; where they cannot be translated a method is absent", async () => {
    await open("26.0.0");
    const absent = { code: -32001, data: { error: 201, errname: "ENOMETHOD" } };
    const first = await bench.connect({ path: "/api/v25.04.0" });
    expect(await refusalOf(first.call("vm.query"))).toMatchObject({
      ...absent,
      data: { reason: "[ENOMETHOD] Method 'query' not found in 'vm'" },
    });
    const old = await bench.connect({ path: "/api/v25.04.2" });
    expect(await refusalOf(old.call("vm.device.nic_attach_choices"))).toMatchObject(absent);
    const made = await old.call("vm.create", { name: "a", memory: 64 });
    expect(made).toMatchObject({ bootloader_ovmf: "OVMF_CODE.fd", suspend_on_snapshot: true });
    const middle = await bench.connect({ path: "/api/v25.10.4" });
    expect(await middle.call("vm.create", { name: "b", memory: 64, suspend_on_snapshot: false })).toMatchObject({
      suspend_on_snapshot: false,
    });
  });
});

describe("an envelope", () => {
  test.each<[string, string, object | undefined]>([
    ["no JSON", "{", { code: -32700 }],
    ["a batch", "[]", { code: -32700, message: "Batch messages are not supported at this time" }],
    ["no object", "1", { code: -32700, message: "Invalid Message Format" }],
    ["no version", '{"id":1,"method":"core.ping"}', { code: -32600, message: "Missing 'jsonrpc' member" }],
    [
      "another version",
      '{"jsonrpc":"1.0","id":1,"method":"core.ping"}',
      { code: -32600, message: "'jsonrpc' member must be of type string and must be exactly '2.0'" },
    ],
    [
      "a fraction for an id",
      '{"jsonrpc":"2.0","id":1.5,"method":"core.ping"}',
      { code: -32600, message: "'id' member must be of type null, string or number" },
    ],
    ["no method", '{"jsonrpc":"2.0","id":1}', { code: -32600, message: "Missing 'method' member" }],
    ["an empty method", '{"jsonrpc":"2.0","id":1,"method":""}', { code: -32600, message: "'method' member must be of type string" }],
    [
      "parameters by name",
      '{"jsonrpc":"2.0","id":1,"method":"core.ping","params":{}}',
      { code: -32600, message: "'params' member must be of type array" },
    ],
    ["an unknown method", '{"jsonrpc":"2.0","id":1,"method":"vm.nothing"}', { code: -32601, message: "Method does not exist" }],
  ])("with %s is refused", async (_, text, error) => {
    await open("25.10.5");
    const client = await bench.connect({ login: false });
    expect(await client.say(text)).toMatchObject({ jsonrpc: "2.0", error });
  });
  test("without an id is never answered, not even when it is wrong", async () => {
    await open("25.10.5");
    const client = await bench.connect();
    client.send('{"jsonrpc":"2.0","method":"vm.nothing"}');
    client.send('{"method":"core.ping"}');
    expect(await client.say('{"jsonrpc":"2.0","id":null,"method":"core.ping"}')).toEqual({ jsonrpc: "2.0", result: "pong", id: null });
  });
  test("in a binary frame closes the connection", async () => {
    await open("25.10.5");
    const client = await bench.connect();
    void client.say(Buffer.from("{}"));
    expect(await client.closed).toMatchObject({ code: 1003 });
  });
  test("a method that only the real one has is not said to be missing", async () => {
    await open("25.10.5");
    const client = await bench.connect();
    expect(await refusalOf(client.call("vm.clone", 1))).toMatchObject({
      code: -32001,
      data: { reason: "[ENOSYS] the simulated NAS was not taught vm.clone" },
    });
  });
});

describe("an error", () => {
  test("of validation has a line for each field", async () => {
    await open("25.10.5");
    const client = await bench.connect();
    expect(await refusalOf(client.call("vm.create", {}))).toMatchObject({
      code: -32602,
      message: "Invalid params",
      data: {
        error: 22,
        errname: "EINVAL",
        reason: "[EINVAL] vm_create.name: Field required\n[EINVAL] vm_create.memory: Field required\n",
        extra: [
          ["vm_create.name", "Field required", 22],
          ["vm_create.memory", "Field required", 22],
        ],
      },
    });
    expect(await refusalOf(client.call("vm.get_instance", 5))).toMatchObject({
      code: -32602,
      data: { error: 22, reason: "[ENOENT] None: VM 5 does not exist", extra: [[null, "VM 5 does not exist", 2]] },
    });
    expect(await refusalOf(client.call("vm.query", [], { get: true }))).toMatchObject({
      code: -32001,
      data: { reason: "MatchNotFound()" },
    });
  });
  test("shows the parameters in its trace in 25.x, with secrets masked; not any more in 26", async () => {
    for (const version of VERSIONS) {
      await open(version);
      const client = await bench.connect();
      const refused = await refusalOf(client.call("vm.create", { name: "k8s-0", memory: 64 }));
      if (version === "26.0.0") expect(refused.data!.trace.frames).toBeUndefined();
      else expect(JSON.stringify(refused.data!.trace.frames)).toContain("k8s-0");
      const login = await refusalOf(client.call("auth.login_ex", { mechanism: "X", username: "talos", api_key: KEY }));
      expect(JSON.stringify(login)).not.toContain(KEY);
      await bench.close();
    }
  });
  test("of 25.04 knows older words", async () => {
    await open("25.04.2");
    const client = await bench.connect();
    const reason = async (method: string, ...params: unknown[]) => (await refusalOf(client.call(method, ...params))).data!.reason;
    expect(await reason("vm.create")).toBe("CRUDService.create() missing 1 required positional argument: 'data'");
    expect(await reason("vm.update")).toBe("CRUDService.update() missing 2 required positional arguments: 'id_' and 'data'");
    expect(await reason("vm.stop")).toBe("[EINVAL] Error handling job lock. This is most likely caused by invalid call arguments.");
    expect(await reason("vm.query", {})).toBe("[EINVAL] filters: Input should be a valid list\n");
    expect(await reason("pool.dataset.query", {})).toBe("[EINVAL] query-filters: Not a list\n");
  });
});

describe("a login", () => {
  const key = (more: object = {}) => ({ mechanism: "API_KEY_PLAIN", username: "talos", api_key: KEY, ...more });
  test.each(VERSIONS)("%s: with the user's own key succeeds and tells the roles", async (version) => {
    await open(version);
    const client = await bench.connect({ login: false });
    expect(await client.call("auth.login_ex", key())).toMatchObject({
      response_type: "SUCCESS",
      authenticator: "LEVEL_1",
      user_info: { pw_name: "talos", privilege: { roles: { $set: ["FULL_ADMIN"] } } },
      ...(version === "26.0.0" && { reconnect_token: null }),
    });
    expect(await client.call("auth.me")).toMatchObject({ pw_name: "talos" });
    expect(await client.call("auth.logout")).toBe(true);
    expect(await refusalOf(client.call("auth.me"))).toMatchObject({ data: { error: 207 } });
  });
  test.each([
    ["a wrong key", key({ api_key: "1-x" })],
    ["another user's name", key({ username: "root" })],
  ])("with %s fails as a result, after a moment", async (_, data) => {
    await open("25.10.5", {}, { second: 40 });
    const client = await bench.connect({ login: false });
    const started = performance.now();
    expect(await client.call("auth.login_ex", data)).toEqual({ response_type: "AUTH_ERR" });
    expect(performance.now() - started).toBeGreaterThan(50);
    expect(await client.call("auth.login_with_api_key", "1-x")).toBe(false);
  });
  test("with an expired key says so; with a key while logins are locked does not work", async () => {
    await open("25.10.5");
    const client = await bench.connect({ login: false });
    bench.nas().accounts[0]!.expired = true;
    expect(await client.call("auth.login_ex", key())).toEqual({ response_type: "EXPIRED" });
    bench.nas().accounts[0]!.expired = false;
    bench.world.state.faults["nas-login-locked"] = 1;
    expect(await client.call("auth.login_ex", key())).toEqual({ response_type: "AUTH_ERR" });
    bench.world.state.faults = {};
    expect(await client.call("auth.login_with_api_key", KEY)).toBe(true);
  });
  test("by a token works until it is used up", async () => {
    await open("26.0.0");
    const [client, other] = [await bench.connect(), await bench.connect({ login: false })];
    const token = await client.call("auth.generate_token", 300, {}, true, true);
    expect(await other.call("auth.login_ex", { mechanism: "TOKEN_PLAIN", token })).toMatchObject({ response_type: "SUCCESS" });
    expect(await other.call("auth.login_with_token", token)).toBe(false);
    const purposeful = await client.call("auth.generate_token", 300, { for: "x" });
    expect(await other.call("auth.login_with_token", purposeful)).toBe(false);
    const { reconnect_token } = await other.call("auth.login_ex", key({ login_options: { reconnect_token: true } }));
    expect(await other.call("auth.login_with_token", reconnect_token)).toBe(true);
  });
  test("is needed for all but a few methods: core.ping is one of them since 25.10", async () => {
    for (const version of VERSIONS) {
      await open(version);
      const client = await bench.connect({ login: false });
      expect(await refusalOf(client.call("vm.query"))).toMatchObject({
        code: -32001,
        data: { error: 207, errname: "ENOTAUTHENTICATED", reason: "[ENOTAUTHENTICATED] Not authenticated" },
      });
      if (version === "25.04.2") {
        expect(await refusalOf(client.call("core.ping"))).toMatchObject({ data: { error: 207 } });
        expect((await refusalOf(client.call("auth.mechanism_choices"))).data!.reason).toContain("may_create_auth_token");
      } else {
        expect(await client.call("core.ping")).toBe("pong");
        expect(await client.call("auth.mechanism_choices")).toContain("API_KEY_PLAIN");
      }
      await bench.close();
    }
  });
  test("that was dropped without a word shows at the next call; the socket stays", async () => {
    await open("25.10.5");
    const client = await bench.connect();
    bench.server.dropLogins();
    expect(await client.call("core.ping")).toBe("pong");
    expect(await refusalOf(client.call("vm.query"))).toMatchObject({ data: { error: 207 } });
  });
  test("of an account with few roles may only do what they allow", async () => {
    await open("25.10.5");
    bench.nas().accounts[0]!.roles = ["VM_READ"];
    const client = await bench.connect();
    expect(await client.call("vm.query")).toEqual([]);
    expect(await refusalOf(client.call("vm.create", { name: "a", memory: 64 }))).toMatchObject({
      code: -32001,
      data: { error: 13, reason: "[EACCES] Not authorized" },
    });
  });
});

describe("limits", () => {
  test("a long message without a login closes with 1007, a very long one with 1009", async () => {
    await open("25.10.5");
    const anonymous = await bench.connect({ login: false });
    anonymous.send(" ".repeat(8193));
    expect(await anonymous.closed).toEqual({ code: 1007, reason: "Anonymous connection max message length is 8 kB" });
    const client = await bench.connect();
    client.send(" ".repeat(65_537));
    expect(await client.closed).toEqual({ code: 1009, reason: "Max message length is 64 kB" });
  });
  test("the 21st call in flight is refused, the others run ten at a time", async () => {
    await open("25.10.5", {}, { second: 200 });
    const client = await bench.connect();
    for (let id = 1; id <= 25; id += 1) await client.call("vm.create", { name: `vm${id}`, memory: 64 });
    const started = performance.now();
    const calls = Array.from({ length: 25 }, (_, index) => client.call("vm.start", index + 1).catch((error: NasError) => error.code));
    expect(await Promise.all(calls)).toEqual([...Array(20).fill(null), ...Array(5).fill(-32_000)]);
    expect(performance.now() - started).toBeGreaterThan(180);
  });
  test("the 21st anonymous call within a minute is refused after a while", async () => {
    await open("25.10.5", {}, { second: 20 });
    const client = await bench.connect({ login: false });
    for (let n = 0; n < 20; n += 1) await client.call("core.ping");
    expect(await refusalOf(client.call("core.ping"))).toMatchObject({
      code: -32001,
      data: { error: 16, reason: "[EBUSY] Rate Limit Exceeded" },
    });
    await client.call("auth.login_ex", { mechanism: "API_KEY_PLAIN", username: "talos", api_key: KEY });
    expect(await client.call("core.ping")).toBe("pong");
  });
  test("a connection on which the server is silent is cut; answers keep it", async () => {
    await open("25.10.5", {}, { idleMs: 300 });
    const [quiet, talking] = [await bench.connect(), await bench.connect()];
    const next = () => Promise.race([quiet.closed.then(({ code }) => code), talking.call("core.ping").then(() => undefined)]);
    let cut = await next();
    while (cut === undefined) cut = await next();
    expect(cut).toBe(1006);
    expect(await talking.call("core.ping")).toBe("pong");
  });
});

test.each(VERSIONS)("%s: reads are as the vendor's schemas say, and change nothing", async (version) => {
  await open(version);
  const client = await bench.connect();
  for (const [method, ...params] of [
    ["system.info"],
    ["system.version"],
    ["system.version_short"],
    ["system.ready"],
    ["system.state"],
    ["pool.query"],
    ["pool.query", [["name", "=", "flashstor"]], { get: true }],
    ["pool.dataset.query"],
    ["pool.dataset.query", [], { extra: { flat: false } }],
    ["pool.dataset.get_instance", "flashstor/VM"],
    ["interface.query"],
    ["filesystem.stat", "/mnt/flashstor/ISO"],
    ["filesystem.statfs", "/mnt/flashstor/ISO"],
    ["filesystem.listdir", "/mnt/flashstor"],
    ["vm.get_available_memory"],
    ["vm.random_mac"],
    ["vm.device.query"],
    ["vm.device.bind_choices"],
    ["vm.device.disk_choices"],
    ["vm.device.iotype_choices"],
    ["vm.device.nic_attach_choices"],
    ["core.get_jobs"],
  ] as [string, ...unknown[]][])
    await client.call(method, ...params);
  expect(await client.call("vm.device.nic_attach_choices")).toEqual(
    version === "26.0.0"
      ? { BRIDGE: ["br0"], MACVLAN: ["ens802f0", "ens802f1"] }
      : { br0: "br0", ens802f0: "ens802f0", ens802f1: "ens802f1" },
  );
  expect(await client.call("system.version")).toMatch(version === "26.0.0" ? /^TrueNAS-26/ : /^TrueNAS-25/);
  expect(bench.world.changes).toEqual([]);
});

test("a NAS that is served by a newer version has been upgraded", async () => {
  await open("25.10.5");
  const { world } = bench;
  await bench.close();
  const { serveTrueNas } = await import("../../simulators/wire/truenas/truenas.ts");
  const { createAuthority } = await import("../../simulators/world/certificates.ts");
  const server = await serveTrueNas(world, { ...createAuthority({ subject: {}, days: 1 }), version: "26.0.0" });
  expect([world.state.nas.version, world.changes]).toEqual(["26.0.0", ["world: the NAS is now TrueNAS 26.0.0"]]);
  await server.close();
});
