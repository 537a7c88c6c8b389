// secrets:init: what it does to a vault, command by command, and that no secret is seen on the way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { PLACEHOLDER } from "../../../scripts/lib/tree/sops-rules.ts";
import { forgetSecrets } from "../../../scripts/lib/run/redact.ts";
import { newIdentity, recipientsOfKeys } from "../../../scripts/lib/secrets/age.ts";
import type { StoredItem } from "../../../scripts/lib/secrets/op.ts";
import { bundleFromFields, TALOS_FIELDS } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { secretsInit } from "../../../scripts/secrets/init.ts";
import { record, type RecordSetup } from "../recorder.ts";
import { type FakeOp, fakeOp, item } from "./fake-op.ts";
import { writeSmallTree } from "./small-tree.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  forgetSecrets();
});

const CREATE = "cat | op item create - --vault Infrastructure --format=json";
const GENERATE = "talosctl gen secrets --talos-version v1.13.9 --output-file -";
const KEY = await newIdentity();
const [OURS] = await recipientsOfKeys(KEY);
const bundle = await bundleFromFields((field) => `taint of ${field}`);
const talos = () => item("talos", Object.fromEntries(TALOS_FIELDS.map((field) => [field, `taint of ${field}`])));
/** Applications of which secrets:init makes the API key. */
const APPS = ["prowlarr", "radarr", "seerr", "sonarr"];
const rest = () => [
  talos(),
  item("sops", { SOPS_PRIVATE_KEY: KEY }),
  item("flux", { FLUX_GITHUB_WEBHOOK_TOKEN: "taint-webhook" }),
  item("volsync-template", { KOPIA_PASSWORD: "taint-kopia", KOPIA_SERVER_PASSWORD: "taint-kopia-web" }),
  item("rook-ceph", { ROOK_DASHBOARD_PASSWORD: "taint-rook" }),
  item("karakeep", { KARAKEEP_ENCRYPTION_KEY: "taint-karakeep", KARAKEEP_MEILISEARCH_MASTER_KEY: "taint-search" }),
  ...APPS.map((name) => item(name, { [`${name.toUpperCase()}_API_KEY`]: `taint-${name}` })),
];
const full = () => [...rest(), item("grafana", { GF_SECURITY_ADMIN_PASSWORD: "taint-grafana" })];

/** A run against a vault with these items; what it creates or edits is in the vault afterwards. */
async function home(op: FakeOp, { answers = {}, recipient = PLACEHOLDER, ...setup }: RecordSetup & { recipient?: string } = {}) {
  const root = mkdtempSync(join(tmpdir(), "init-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, ".sops.yaml"), `creation_rules:\n  - age: ${recipient} # ours\n`);
  writeSmallTree(root);
  const created = Array.from({ length: 12 }, (_, index) => JSON.stringify({ id: `new-${index}` }));
  const lab = await record({
    root,
    env: { SOPS_AGE_KEY_FILE: join(root, "age.key") },
    answers: { [GENERATE]: bundle, [CREATE]: created, ...answers },
    ...setup,
  });
  let made = 0;
  op.items = new Proxy(op.items, {
    get(items, key) {
      for (const [line, text] of Object.entries(lab.stdin)) {
        const id = /op item edit (\S+)/.exec(line)?.[1];
        if (id)
          Object.assign(
            items.find((item) => item.id === id)!,
            JSON.parse(text) as StoredItem,
          );
      }
      const text = lab.stdin[CREATE];
      const creates = lab.commands.filter((line) => line === `act ${CREATE}`).length;
      if (text && creates > made) items.push({ id: `new-${made++}`, ...(JSON.parse(text) as Omit<StoredItem, "id">) });
      return Reflect.get(items, key) as unknown;
    },
  });
  return { lab, root, sops: () => readFileSync(join(root, ".sops.yaml"), "utf8") };
}

test("an empty vault: all is created, each looked for before and asked for after, then .sops.yaml", async () => {
  const op = fakeOp();
  const { lab, sops } = await home(op);
  expect(await lab.run(secretsInit, {})).toBeUndefined();
  expect(lab.plans).toEqual([
    {
      title: "create secrets in vault Infrastructure; existing ones are not changed",
      lines: [
        expect.stringMatching(
          /^warning: vault Infrastructure, which the cluster's token reads, also holds what only you need: talos, sops\. Create a second vault/,
        ),
        "create item talos: 14 fields",
        "create item sops: SOPS_PRIVATE_KEY",
        "create item flux: FLUX_GITHUB_WEBHOOK_TOKEN",
        "create item volsync-template: KOPIA_PASSWORD, KOPIA_SERVER_PASSWORD",
        "create item rook-ceph: ROOK_DASHBOARD_PASSWORD",
        "create item grafana: GF_SECURITY_ADMIN_PASSWORD",
        "create item karakeep: KARAKEEP_ENCRYPTION_KEY, KARAKEEP_MEILISEARCH_MASTER_KEY",
        ...APPS.map((name) => `create item ${name}: ${name.toUpperCase()}_API_KEY`),
        "write .sops.yaml: the age key's recipient in place of the placeholder; other recipients stay",
      ],
    },
  ]);
  expect(lab.commands).toEqual([`ask ${GENERATE}`, ...Array<string>(11).fill(`act ${CREATE}`)]);
  const list = "op item list --vault=Infrastructure --format=json";
  const get = (id: string) => `op item get ${id} --vault=Infrastructure --format=json`;
  expect(op.lines).toEqual([
    "op --version",
    "op whoami --format=json",
    list,
    ...Array.from({ length: 11 }).flatMap((_, index) => [list, get(`new-${index}`)]),
    list,
    get("new-1"),
  ]);
  expect(op.items.map(({ title }) => title)).toEqual([
    "talos",
    "sops",
    "flux",
    "volsync-template",
    "rook-ceph",
    "grafana",
    "karakeep",
    ...APPS,
  ]);
  expect(op.items[0]!.fields).toContainEqual({ type: "CONCEALED", label: "CLUSTER_ID", value: "taint of CLUSTER_ID" });
  expect(op.items[0]!.fields).toContainEqual({ type: "STRING", label: "CLUSTER_CA_CRT", value: "taint of CLUSTER_CA_CRT" });
  expect(op.items[2]!.fields![0]!.value).toMatch(/^[A-Za-z0-9]{32}$/);
  const [recipient] = await recipientsOfKeys(op.items[1]!.fields![0]!.value!);
  expect(sops()).toBe(`creation_rules:\n  - age: ${recipient} # ours\n`);
  expect(lab.said.slice(0, 3)).toEqual([
    "vault Infrastructure of 1Password, as operator@example.com at https://my.1password.com",
    "created talos: 14 fields",
    "created sops: SOPS_PRIVATE_KEY",
  ]);
  expect(lab.results).toMatchObject([
    { there: 0, created: expect.arrayContaining([{ vault: "Infrastructure", item: "sops", field: "SOPS_PRIVATE_KEY" }]) as unknown },
  ]);
});
test("no secret in words, environment, output or report", async () => {
  const op = fakeOp();
  const { lab } = await home(op);
  await lab.run(secretsInit, {});
  const secrets = op.items.flatMap(({ fields }) => fields!.flatMap(({ type, value }) => (type === "CONCEALED" ? [value!] : [])));
  const seen = JSON.stringify([lab.commands, op.seen, lab.said, lab.plans, lab.results, lab.effects]);
  expect(secrets).toHaveLength(22);
  expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
});
test("the list says where to fetch the rest, under which names, with which rights", async () => {
  const { lab } = await home(fakeOp());
  await lab.run(secretsInit, {});
  expect(lab.said.at(-1)).toContain(
    [
      "https://YOUR-NAS/ui/credentials/users/api-keys",
      "  for     talos:prepare-iso, vm:* (before the bootstrap)",
      "  how     host or host:port; the user; an API key of that user; the SHA-256 fingerprint of the NAS's certificate (AA:BB:…) or its CA as PEM",
      "  rights  full administrator (uploading the ISO needs it)",
      "  item         field",
      "  talosdeploy  TRUENAS_HOST",
    ].join("\n"),
  );
});
test("a vault that has all is not touched", async () => {
  const { lab } = await home(fakeOp(full()), { recipient: OURS! });
  expect(await lab.run(secretsInit, {})).toBeUndefined();
  expect([lab.plans, lab.commands, lab.effects]).toEqual([[], [], []]);
  expect(lab.said.at(-1)).toBe("nothing to create: everything that can be created exists");
});
test("after an interruption only the rest is made", async () => {
  const op = fakeOp(rest());
  const { lab, sops } = await home(op);
  await lab.run(secretsInit, {});
  expect(lab.plans[0]!.lines.filter((line) => !line.startsWith("warning: vault"))).toEqual([
    "create item grafana: GF_SECURITY_ADMIN_PASSWORD",
    "write .sops.yaml: the age key's recipient in place of the placeholder; other recipients stay",
  ]);
  expect(sops()).toContain(OURS);
});
test("a dry run reads, shows and changes nothing", async () => {
  const { lab, sops } = await home(fakeOp(), { dryRun: true });
  expect(await lab.run(secretsInit, {})).toMatchObject({ name: "Stop", pending: true });
  expect([lab.commands, lab.effects]).toEqual([[], []]);
  expect(lab.results).toMatchObject([{ there: 0, toCreate: expect.any(Array) as unknown }]);
  expect(sops()).toContain(PLACEHOLDER);
});
test("No is No", async () => {
  const { lab } = await home(fakeOp(), { yes: false });
  expect(await lab.run(secretsInit, {})).toMatchObject({ name: "Stop" });
  expect(lab.effects).toEqual([]);
});

describe("an item that is there", () => {
  const EDIT = "cat | op item edit id-of-flux --vault Infrastructure --format=json";
  test("is completed: the whole item on stdin, what it held unchanged", async () => {
    const others = full().filter(({ title }) => title !== "flux");
    const flux = item("flux", { FLUX_GITHUB_TOKEN: "taint-github", FLUX_GITHUB_WEBHOOK_TOKEN: "" });
    const op = fakeOp([...others, flux]);
    const { lab } = await home(op, { recipient: OURS!, answers: { [EDIT]: "{}" } });
    const before = structuredClone(flux);
    expect(await lab.run(secretsInit, {})).toBeUndefined();
    const sent = JSON.parse(lab.stdin[EDIT]!) as StoredItem;
    expect(sent.fields![0]).toEqual(before.fields![0]);
    expect(sent.fields![1]).toEqual({ ...before.fields![1], value: expect.stringMatching(/^[A-Za-z0-9]{32}$/) as unknown });
    expect(lab.said).toContain("completed flux: FLUX_GITHUB_WEBHOOK_TOKEN");
  });
  test("and changed while the person read the plan is left alone", async () => {
    const flux = item("flux", { FLUX_GITHUB_TOKEN: "x" });
    const { lab } = await home(fakeOp([...full().filter(({ title }) => title !== "flux"), flux]), { recipient: OURS! });
    lab.context.ui.confirm = async () => {
      flux.fields!.push({ label: "FLUX_GITHUB_WEBHOOK_TOKEN", value: "theirs" });
      return "given";
    };
    expect(String(await lab.run(secretsInit, {}))).toContain(
      "could not store flux in vault Infrastructure\n  said: somebody changed the item since it was read\n  now:  that item was not touched",
    );
    expect(lab.commands).toEqual([]);
  });
});

describe("is not believed", () => {
  test("a vault that holds something else afterwards", async () => {
    const op = fakeOp(rest());
    op.says["item get new-0"] = { out: JSON.stringify(item("grafana", { GF_SECURITY_ADMIN_PASSWORD: "other" })) };
    const { lab } = await home(op);
    expect(String(await lab.run(secretsInit, {}))).toContain(
      "could not store grafana in vault Infrastructure\n  said: afterwards the vault does not hold what it should in GF_SECURITY_ADMIN_PASSWORD",
    );
  });
  test("a limit in the middle: said, and the same command goes on", async () => {
    const { lab } = await home(fakeOp(rest()), {
      answers: { [CREATE]: { err: "[ERROR] 2026/06/01 12:00:00 (429) Too Many Requests", code: 1 } },
    });
    const said = String(await lab.run(secretsInit, {}));
    expect(said).toContain(
      "could not store grafana in vault Infrastructure\n  said: (429) Too Many Requests\n  next: op service-account ratelimit",
    );
    expect(said).not.toContain("nothing was changed");
  });
  test("a refusal in op's words", async () => {
    const { lab } = await home(fakeOp(rest()), {
      answers: { [CREATE]: { err: "[ERROR] 2026/06/01 12:00:00 you have no write access", code: 1 } },
    });
    expect(String(await lab.run(secretsInit, {}))).toContain(
      "said: you have no write access\n  next: task secrets:init (goes on from what it finds)",
    );
  });
});

describe("stops before anything", () => {
  test("through Connect, which keeps no items", async () => {
    const op = fakeOp();
    const { lab } = await home(op, { env: { OP_CONNECT_HOST: "http://nas", OP_CONNECT_TOKEN: "ey" } });
    expect(String(await lab.run(secretsInit, {}))).toContain("the Connect server at http://nas cannot list or make items");
    expect(op.lines).toEqual([]);
  });
  test("at a contradiction", async () => {
    const { lab } = await home(fakeOp([item("talos", { CLUSTER_ID: "x" })]));
    expect(String(await lab.run(secretsInit, {}))).toContain(
      "could not plan the secrets\n  said: item talos has only some of Talos' secrets",
    );
    expect([lab.plans, lab.effects]).toEqual([[], []]);
  });
});

describe(".sops.yaml", () => {
  const run = async (rules: string, items = full()) => {
    const { lab, root, sops } = await home(fakeOp(items));
    writeFileSync(join(root, ".sops.yaml"), rules);
    const end = await lab.run(secretsInit, {});
    return { lab, end: String(end), before: rules, after: sops() };
  };
  test("recipients of other people stay; the rule without ours is named", async () => {
    const { lab, before, after } = await run(readFileSync("test/fixtures/sops/ssh-and-yubikey.yaml", "utf8"));
    expect(after).toBe(before.replace(PLACEHOLDER, OURS!));
    expect(lab.plans[0]!.lines.join("\n")).toContain(
      ".sops.yaml:2, the rule for talos/.*\\.sops\\.ya?ml: does not name this home's age key. secrets:init replaces only the placeholder",
    );
  });
  test.each(["as-list", "key-groups-and-anchors"])("%s with our recipient is complete", async (form) => {
    const text = readFileSync(`test/fixtures/sops/${form}.yaml`, "utf8").replace(/age1q+/, OURS!);
    const { lab, before, after } = await run(text);
    expect(after).toBe(before);
    expect(lab.said.at(-1)).toBe("nothing to create: everything that can be created exists");
  });
  test("a form that cannot be read stops before anything", async () => {
    const { lab, end, before, after } = await run("creation_rules:\n  - age: {a: b}\n", []);
    expect(end).toContain("the age recipient in line 2 is neither text nor a list of texts");
    expect([after, lab.plans, lab.effects]).toEqual([before, [], []]);
  });
});

test("the key of a key file is stored in place of a new one", async () => {
  const op = fakeOp(full().filter(({ title }) => title !== "sops"));
  const { lab, root } = await home(op, { recipient: OURS! });
  writeFileSync(join(root, "age.key"), `# ours\n${KEY}\n`);
  await lab.run(secretsInit, {});
  expect(lab.plans[0]!.lines.filter((line) => !line.startsWith("warning: vault"))).toEqual([
    `create item sops: SOPS_PRIVATE_KEY, the key of ${join(root, "age.key")}`,
  ]);
  expect(op.items.at(-1)).toMatchObject({ title: "sops", fields: [{ label: "SOPS_PRIVATE_KEY", value: `# ours\n${KEY}\n` }] });
});
