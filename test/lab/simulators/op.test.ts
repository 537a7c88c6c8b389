// The stand-in for op: what it answers, and how it refuses.
import { describe, expect, test } from "vitest";
import { op } from "../../simulators/cli/op/op.ts";
import { fetchByHand } from "../../simulators/world/person.ts";
import { secretsOf } from "../../simulators/world/op/vault.ts";
import { play, testWorld } from "./test-world.ts";

const template = (fields: Record<string, string>, title = "talos") =>
  JSON.stringify({
    title,
    category: "SECURE_NOTE",
    fields: Object.entries(fields).map(([label, value]) => ({ label, type: "CONCEALED", value })),
  });
const create = (world = testWorld()) =>
  play(op, world, ["item", "create", "--vault", "Infrastructure", "--format=json", "-"], {
    stdin: template({ A: "one", B: "two\nlines" }),
  });
const stocked = async () => {
  const world = testWorld();
  await create(world);
  return world;
};

test("says its version", async () => expect(await play(op, testWorld(), ["--version"])).toEqual({ code: 0, out: "2.32.0\n", err: "" }));

describe("whoami", () => {
  test("names the account", async () =>
    expect(JSON.parse((await play(op, testWorld(), ["whoami", "--format=json"])).out)).toMatchObject({
      url: "https://my.1password.com",
      email: "operator@example.com",
    }));
  test("is no service account's mail", async () =>
    expect(
      JSON.parse((await play(op, testWorld(), ["whoami", "--format=json"], { env: { OP_SERVICE_ACCOUNT_TOKEN: "ops_x" } })).out),
    ).toMatchObject({ user_type: "SERVICE_ACCOUNT" }));
  test("when nobody is signed in", async () =>
    expect(await play(op, testWorld({ "vault-signed-out": 1 }), ["whoami", "--format=json"])).toEqual({
      code: 1,
      out: "",
      err: "[ERROR] 2026/06/01 12:00:00 account is not signed in\n",
    }));
});

describe("items", () => {
  test("are made from a template on stdin, which counts as one change", async () => {
    const world = testWorld();
    const made = await create(world);
    expect(JSON.parse(made.out)).toMatchObject({
      title: "talos",
      vault: { name: "Infrastructure" },
      category: "SECURE_NOTE",
      fields: [{ label: "A", value: "one", reference: "op://Infrastructure/talos/A" }, { label: "B" }],
    });
    expect(world.changes).toEqual(["product: op item create talos"]);
  });
  test("are edited by a template that replaces all fields and keeps their ids", async () => {
    const world = await stocked();
    const before = world.state.vault.items[0]!.fields.map(({ id }) => id);
    await play(op, world, ["item", "edit", "talos", "--vault", "Infrastructure", "--format", "json"], {
      stdin: template({ B: "other", C: "three" }),
    });
    const { fields, version } = world.state.vault.items[0]!;
    expect(fields.map(({ label, value }) => [label, value])).toEqual([
      ["B", "other"],
      ["C", "three"],
    ]);
    expect([fields[0]!.id, version]).toEqual([before[1], 2]);
  });
  test("are listed without values and shown with them", async () => {
    const world = await stocked();
    const [listed] = JSON.parse((await play(op, world, ["item", "list", "--vault", "Infrastructure", "--format=json"])).out) as Record<
      string,
      unknown
    >[];
    expect(listed).toMatchObject({ title: "talos", version: 1 });
    expect(listed).not.toHaveProperty("fields");
    const shown = JSON.parse((await play(op, world, ["item", "get", "talos", "--vault", "Infrastructure", "--format=json"])).out) as {
      fields: unknown[];
    };
    expect(shown.fields).toMatchObject([
      { label: "A", value: "one" },
      { label: "B", value: "two\nlines" },
    ]);
  });
  test("that are not there are named", async () =>
    expect((await play(op, testWorld(), ["item", "get", "nope", "--vault", "Infrastructure", "--format=json"])).err).toContain(
      `"nope" isn't an item in the "Infrastructure" vault. Specify the item with its UUID, name, or domain.`,
    ));
  test("assignments on the command line were not taught: they would show the secret", async () =>
    expect((await play(op, testWorld(), ["item", "create", "a=b", "--format=json"])).code).toBe(70));
});

describe("references", () => {
  test("read with a newline, or without", async () => {
    const world = await stocked();
    expect((await play(op, world, ["read", "op://Infrastructure/talos/B"])).out).toBe("two\nlines\n");
    expect((await play(op, world, ["read", "--no-newline", "op://infrastructure/TALOS/A"])).out).toBe("one");
  });
  test("injected, enclosed and bare, nothing else changed", async () => {
    const world = await stocked();
    const said = await play(op, world, ["inject"], {
      stdin: "a: {{ op://Infrastructure/talos/A }}\nb: op://Infrastructure/talos/A, {{ other }}\n",
    });
    expect(said).toEqual({ code: 0, out: "a: one\nb: one, {{ other }}\n", err: "" });
    expect(world.changes).toHaveLength(1);
  });
  test.each([
    [
      "op://Infrastructure/talos/X",
      "could not read secret 'op://Infrastructure/talos/X': item 'Infrastructure/talos' does not have a field 'X'",
    ],
    [
      "op://Nope/talos/A",
      `could not read secret 'op://Nope/talos/A': "Nope" isn't a vault in this account. Specify the vault with its ID or name.`,
    ],
    [
      "op://talos/A",
      "could not read secret 'op://talos/A': invalid secret reference: it has to be of the form op://<vault>/<item>/[section]/<field>",
    ],
  ])("%s is refused", async (reference, message) => {
    const said = await play(op, await stocked(), ["read", reference]);
    expect(said).toEqual({ code: 1, out: "", err: `[ERROR] 2026/06/01 12:00:00 ${message}\n` });
  });
  test("a file that cannot be opened is said as Go says it", async () =>
    expect((await play(op, testWorld(), ["inject", "--in-file=/nope"])).err).toContain("open /nope: no such file or directory"));
});

describe("faults", () => {
  test("rate limited: everything but whoami is refused", async () => {
    const world = await stocked();
    world.change("world", "", ({ faults }) => void (faults["vault-rate-limited"] = 1));
    expect((await play(op, world, ["read", "op://Infrastructure/talos/A"])).err).toContain("(429) Too Many Requests");
    expect((await play(op, world, ["whoami", "--format=json"])).code).toBe(0);
  });
  test("a field that cannot be found is there again once the fault is gone", async () => {
    const world = testWorld({ "vault-field-missing": 1 });
    fetchByHand(world, ["Infrastructure"], { host: "127.0.0.1:1", username: "u", key: "k", fingerprint: "AA" });
    const read = () => play(op, world, ["read", "op://Infrastructure/1password/OP_CONNECT_TOKEN"]);
    expect((await read()).code).toBe(1);
    world.change("world", "", ({ faults }) => void delete faults["vault-field-missing"]);
    expect((await read()).out).toMatch(/^taint-op-connect-token-[0-9a-f]{18}/);
  });
});

test("the person fills what is missing and overwrites nothing", () => {
  const world = testWorld();
  const nas = { host: "127.0.0.1:4", username: "deploy", key: "1-taint-nas", fingerprint: "AA:BB" };
  const first = fetchByHand(world, ["Infrastructure"], nas, [{ item: "apps", field: "SONARR_API_KEY" }]);
  expect(first).toContainEqual({ item: "talosdeploy", field: "TRUENAS_CERTIFICATE" });
  const before = JSON.stringify(world.state.vault.items);
  expect(fetchByHand(world, ["Infrastructure"], nas)).toEqual([]);
  expect(JSON.stringify(world.state.vault.items)).toBe(before);
  const secrets = secretsOf(world.state.vault);
  expect(secrets.map(({ where }) => where)).toEqual(
    expect.arrayContaining(["cloudflare/CLOUDFLARE_DNS_TOKEN", "apps/SONARR_API_KEY", "talosdeploy/TRUENAS_API"]),
  );
  expect(secrets.some(({ where }) => /HOST|USERNAME|CERTIFICATE|EMAIL/.test(where))).toBe(false);
  expect(new Set(secrets.map(({ value }) => value)).size).toBe(secrets.length);
});
