// From facts to a plan: what is made, what is fetched, what contradicts itself.
import { describe, expect, test } from "vitest";
import { knownEntries } from "../../../scripts/lib/secrets/tree.ts";
import type { StoredItem } from "../../../scripts/lib/secrets/op.ts";
import type { SopsRule } from "../../../scripts/lib/tree/sops-rules.ts";
import { type Facts, planSecrets } from "../../../scripts/lib/secrets/plan.ts";
import { TALOS_FIELDS } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { testCluster } from "../test-cluster.ts";
import { item } from "./fake-op.ts";

const cluster = testCluster();
const OURS = `age1${"q".repeat(58)}`;
const THEIRS = `age1${"z".repeat(58)}`;

/** One rule for every file; without recipients it has the placeholder. */
const rulesFor = (recipients: string[]): SopsRule[] => [{ line: 2, recipients, placeholders: recipients.length === 0 ? [30] : [] }];

const entriesFor = (home = cluster) => knownEntries(process.cwd(), home);
const ENTRIES = await entriesFor();

function plan(items: StoredItem[] = [], facts: Partial<Facts> = {}) {
  return planSecrets(ENTRIES, cluster, {
    listed: items.map((one) => ({ ...one, vault: "Infrastructure" })),
    items: new Map(items.map((one) => [`op://Infrastructure/${one.title}`, one])),
    rules: rulesFor([]),
    keys: { vault: [], file: undefined },
    ...facts,
  });
}
const talos = item("talos", Object.fromEntries(TALOS_FIELDS.map((field) => [field, `value of ${field}`])));
const sops = item("sops", { SOPS_PRIVATE_KEY: "AGE-SECRET-KEY-1…" });
const titles = (items: StoredItem[], facts?: Partial<Facts>) =>
  plan(items, facts).writes.map(({ title, id }) => (id ? `${title} (${id})` : title));

test("an empty vault gets all that can be made", () => {
  const { writes, fetch, writeRecipient, contradictions } = plan();
  expect(writes.map(({ title, entries }) => [title, entries.length])).toEqual([
    ["talos", 14],
    ["sops", 1],
    ["flux", 1],
    ["volsync-template", 2],
    ["rook-ceph", 1],
    ["grafana", 1],
    ["karakeep", 2],
    ["prowlarr", 1],
    ["radarr", 1],
    ["seerr", 1],
    ["sonarr", 1],
  ]);
  expect([writeRecipient, contradictions]).toEqual([true, []]);
  expect(fetch.map(({ field }) => field)).toEqual(expect.arrayContaining(["OP_CONNECT_TOKEN", "TRUENAS_API", "FLUX_GITHUB_TOKEN"]));
  expect(fetch.map(({ field }) => field)).not.toContain("kubeconfig");
});
test("what is there is not made again", () =>
  expect(titles([talos, sops], { rules: rulesFor([OURS]), keys: { vault: [OURS], file: undefined } })).toEqual([
    "flux",
    "volsync-template",
    "rook-ceph",
    "grafana",
    "karakeep",
    "prowlarr",
    "radarr",
    "seerr",
    "sonarr",
  ]));
test("an item that lacks a field is completed", () => {
  const flux = item("flux", { FLUX_GITHUB_TOKEN: "x", FLUX_GITHUB_WEBHOOK_TOKEN: "" });
  expect(titles([flux])).toContain("flux (id-of-flux)");
});
test("another home's names are used", async () => {
  const other = testCluster({
    onepassword: { ...cluster.onepassword, items: { ...cluster.onepassword.items, talos: "talos-of-the-lab" } },
  });
  expect(
    planSecrets(await entriesFor(other), other, { listed: [], items: new Map(), rules: rulesFor([]), keys: { vault: [], file: undefined } })
      .writes[0]?.title,
  ).toBe("talos-of-the-lab");
});

describe("contradictions", () => {
  test("a torn bundle", () =>
    expect(plan([item("talos", Object.fromEntries(TALOS_FIELDS.slice(2).map((field) => [field, "x"])))]).contradictions).toEqual([
      "item talos has only some of Talos' secrets, not CLUSTER_ID, CLUSTER_SECRET: restore it from its history in the 1Password app, or archive it if no cluster was ever made from it",
    ]));
  test("an item of Talos without any of its fields is none", () => expect(plan([item("talos", { note: "x" })]).contradictions).toEqual([]));
  test("two items of one name", () =>
    expect(plan([sops, { ...sops, id: "other" }], { keys: { vault: [OURS], file: undefined } }).contradictions).toEqual([
      "more than one item is called sops: archive all but one",
    ]));
  test("two fields of one name", () => {
    const grafana = item("grafana", { GF_SECURITY_ADMIN_PASSWORD: "a" });
    grafana.fields!.push({ label: "gf_security_admin_password", value: "b" });
    expect(plan([grafana]).contradictions).toEqual([
      "item grafana has more than one field called GF_SECURITY_ADMIN_PASSWORD: remove all but one",
    ]);
  });
  test("a login would lose its passkey", () =>
    expect(plan([item("flux", {}, "LOGIN")]).contradictions[0]).toMatch(/^item flux is a login, which may hold a passkey/));
  test("a login that is complete is left alone", () =>
    expect(plan([item("grafana", { GF_SECURITY_ADMIN_PASSWORD: "a" }, "LOGIN")]).contradictions).toEqual([]));
});

describe("the age key", () => {
  const contradictions = (items: StoredItem[], recipients: string[] | undefined, vault: string[], file?: string[]) =>
    plan(items, { rules: recipients && rulesFor(recipients), keys: { vault, file } });
  test("of the vault and .sops.yaml agree", () => expect(contradictions([sops], [OURS], [OURS]).contradictions).toEqual([]));
  test("one of several recipients is enough", () => expect(contradictions([sops], [THEIRS, OURS], [OURS]).contradictions).toEqual([]));
  test("of the vault is put where the placeholder stands", () => expect(contradictions([sops], [], [OURS]).writeRecipient).toBe(true));
  test("without a .sops.yaml there is nothing to write", () =>
    expect(contradictions([sops], undefined, [OURS]).writeRecipient).toBe(false));
  test("of another recipient", () =>
    expect(contradictions([sops], [THEIRS], [OURS]).contradictions).toEqual([
      `.sops.yaml:2, the rule for every file: encrypts for ${THEIRS} and not for ${OURS}, whose key the vault has, so Flux could not decrypt: add it to the rule, or store the key of ${THEIRS} in the vault`,
    ]));
  test("a recipient without any key", () =>
    expect(contradictions([], [THEIRS], []).contradictions[0]).toContain(
      `encrypts for ${THEIRS}, and the vault has no key: store the key of ${THEIRS} in it, or put`,
    ));
  test("that is no key", () =>
    expect(contradictions([sops], [], []).contradictions).toEqual([
      "op://Infrastructure/sops/SOPS_PRIVATE_KEY holds no age identity (a line AGE-SECRET-KEY-1…)",
    ]));
  test("of the key file is stored in place of a new one", () => {
    const adopted = contradictions([], [OURS], [], [OURS]);
    expect([adopted.adoptKeyFile, adopted.contradictions]).toEqual([true, []]);
  });
  test("a key file without a key is not", () => expect(contradictions([], [], [], []).adoptKeyFile).toBe(false));
});

describe("two vaults", () => {
  const two = testCluster({ onepassword: { ...cluster.onepassword, operatorVault: "Operator" } });
  const decide = async (held: [vault: string, one: StoredItem][]) =>
    planSecrets(await entriesFor(two), two, {
      listed: held.map(([vault, one]) => ({ ...one, vault })),
      items: new Map(held.map(([vault, one]) => [`op://${vault}/${one.title}`, one])),
      rules: rulesFor([OURS]),
      keys: { vault: held.some(([vault, { title }]) => vault === "Operator" && title === "sops") ? [OURS] : [], file: [OURS] },
    });
  test("what only the operator needs is created where the cluster's token does not read", async () => {
    const { writes, exposed, contradictions } = await decide([]);
    expect(writes.map(({ vault, title }) => `${vault}/${title}`).slice(0, 4)).toEqual([
      "Operator/talos",
      "Operator/sops",
      "Infrastructure/flux",
      "Infrastructure/volsync-template",
    ]);
    expect([exposed, contradictions]).toEqual([[], []]);
  });
  test("an item that was not moved yet is never created a second time", async () => {
    const { contradictions } = await decide([
      ["Infrastructure", talos],
      ["Operator", sops],
      ["Operator", item("grafana", {})],
    ]);
    expect(contradictions).toEqual([
      "item talos is in vault Infrastructure and belongs to vault Operator: op item move 'talos' --current-vault 'Infrastructure' --destination-vault 'Operator'",
      "item grafana is in vault Operator and belongs to vault Infrastructure: op item move 'grafana' --current-vault 'Operator' --destination-vault 'Infrastructure'",
    ]);
  });
  test("a copy that stayed behind is named, and is not a second item of that name", async () => {
    const { exposed, contradictions } = await decide([
      ["Infrastructure", talos],
      ["Operator", talos],
      ["Operator", sops],
    ]);
    expect(contradictions).toEqual([]);
    expect(exposed).toEqual([
      "vault Infrastructure, which the cluster's token reads, still holds talos: compare it with Operator/talos and archive it",
    ]);
  });
});

describe("one vault", () => {
  test("works, with a warning that lists the items to move", () => {
    const nas = item("talosdeploy", { TRUENAS_API: "x" });
    const { exposed, contradictions } = plan([talos, sops, nas], { rules: rulesFor([OURS]), keys: { vault: [OURS], file: undefined } });
    expect(contradictions).toEqual([]);
    expect(exposed).toEqual([
      "vault Infrastructure, which the cluster's token reads, also holds what only you need: talos, sops, talosdeploy. Create a second vault (op vault create Operator), move these items (op item move 'ITEM' --current-vault 'Infrastructure' --destination-vault 'Operator'), and name it as onepassword.operatorVault in talos/cluster.yaml",
    ]);
  });
  test("two of our items may be one of the home's: it is created once", async () => {
    const shared = testCluster({ onepassword: { ...cluster.onepassword, renamed: { radarr: "media", sonarr: "media" } } });
    const { writes } = planSecrets(await entriesFor(shared), shared, {
      listed: [],
      items: new Map(),
      rules: undefined,
      keys: { vault: [], file: undefined },
    });
    expect(writes.filter(({ title }) => title === "media").map(({ entries }) => entries.map(({ field }) => field))).toEqual([
      ["RADARR_API_KEY", "SONARR_API_KEY"],
    ]);
  });
});
