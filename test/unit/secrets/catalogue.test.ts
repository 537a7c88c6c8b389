// The catalogue is whole: every item, every field that the product and its templates name.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ITEM_KEYS } from "../../../scripts/lib/cluster/cluster.ts";
import { AGE_KEY } from "../../../scripts/lib/secrets/age.ts";
import { describedBy } from "../../../scripts/lib/secrets/entries.ts";
import { referenceOf } from "../../../scripts/lib/secrets/entry.ts";
import { platformEntries } from "../../../scripts/lib/secrets/platform.ts";
import { knownEntries } from "../../../scripts/lib/secrets/tree.ts";
import { TALOS_FIELDS } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { referencesIn, templateReferences } from "../../../scripts/lib/secrets/used.ts";
import { testCluster } from "../test-cluster.ts";

const cluster = testCluster();
const CATALOGUE = await knownEntries(process.cwd(), cluster);
const { isPublic, originOf, whoMakes } = describedBy(CATALOGUE);
const fields = (item: string) => CATALOGUE.filter((entry) => entry.item === item).map(({ field }) => field);

test("every item of the operator has fields, and every field stands once", () => {
  const both = [...CATALOGUE, ...platformEntries({ ...cluster, hypervisor: "vsphere" })].map(({ item }) => item);
  expect(both).toEqual(expect.arrayContaining(ITEM_KEYS.map((key) => cluster.onepassword.items[key])));
  expect(new Set(CATALOGUE.map(({ field }) => field)).size).toBe(CATALOGUE.length);
});
test("Talos' fields are those of the bundle", () => expect(fields("talos").toSorted()).toEqual(TALOS_FIELDS.toSorted()));
test("what a person fetches has a link, steps and rights", () => {
  const told = CATALOGUE.flatMap(({ source }) => ("person" in source ? [source.person] : []));
  expect(told.filter(({ link, steps, rights }) => !link.startsWith("https://") || steps.length < 10 || rights.length < 10)).toEqual([]);
});
test("a home is asked only for its own hypervisor", () => {
  expect(platformEntries(testCluster({ hypervisor: "truenas" })).map(({ item }) => item)).not.toContain("esxi");
  expect(platformEntries(testCluster({ hypervisor: "vsphere" })).map(({ item }) => item)).not.toContain("talosdeploy");
});
test("all that the templates of the repository name is in it, as needed now", async () => {
  const now = CATALOGUE.filter((entry) => entry.now).map(referenceOf);
  expect(now).toEqual(expect.arrayContaining([...(await templateReferences(process.cwd(), cluster)).keys()]));
});
test("the Secret that bootstrap creates holds the age key of the vault", () =>
  expect(readFileSync("bootstrap/resources.yaml.njk", "utf8")).toContain(`age.agekey: {{ ref("${AGE_KEY.item}", "${AGE_KEY.field}") }}`));
test("keys are never public, addresses are", () => {
  expect(CATALOGUE.filter(({ field }) => /KEY$|TOKEN|SECRET|PASS/.test(field)).filter((entry) => isPublic(entry))).toEqual([]);
  const shown = (item: string, field: string) => isPublic({ vault: "Infrastructure", item, field });
  expect([shown("talosdeploy", "TRUENAS_HOST"), shown("talos", "CLUSTER_CA_CRT")]).toEqual([true, true]);
  expect([shown("talosdeploy", "TRUENAS_API"), shown("talos", "UNHEARD_OF"), shown("other", "TRUENAS_HOST")]).toEqual([
    false,
    false,
    false,
  ]);
});
test("who makes a value", () => {
  expect(whoMakes("op://Infrastructure/volsync-template/KOPIA_PASSWORD")).toBe("task secrets:init creates it");
  expect(whoMakes("op://Infrastructure/kubeconfig/kubeconfig")).toBe("task talos:kubeconfig UPLOAD=1 creates it");
  expect(whoMakes("op://Infrastructure/flux/FLUX_GITHUB_TOKEN")).toBe(
    "only you can fetch it: https://github.com/settings/personal-access-tokens/new (rights: Commit statuses: read and write)",
  );
  expect(originOf("op://Infrastructure/flux/UNHEARD_OF")).toBe("you: no secret-sources.yaml declares it (docs/secrets.md)");
});
test("docs/secrets.md has every item and field", () => {
  const page = readFileSync("docs/secrets.md", "utf8");
  expect(CATALOGUE.filter(({ field }) => !page.includes(field)).map(({ field }) => field)).toEqual([]);
});

test("references of a template: literal ones, and those that it asks for by name, but not those of comments", () =>
  expect(
    referencesIn(
      [
        '{# ref("sops", "OLD") and op://a/b/c #}',
        "# op://Infrastructure/old/comment",
        "  key: op://Infrastructure/talos/CLUSTER_ID # why",
        '  "{{ op://Other/item/section/field }}"',
        `  token: {{ ref("connect", "OP_CONNECT_TOKEN") }} {{ ref('nas','TRUENAS_API') }}`,
        "  again: op://Infrastructure/talos/CLUSTER_ID",
      ].join("\n"),
      testCluster(),
    ),
  ).toEqual([
    "op://Infrastructure/talos/CLUSTER_ID",
    "op://Other/item/section/field",
    "op://Infrastructure/1password/OP_CONNECT_TOKEN",
    "op://Infrastructure/talosdeploy/TRUENAS_API",
  ]));
test.each([
  ['content: "op://Infrastructure/talos extra/auth key"', "op://Infrastructure/talos extra/auth key"],
  ["content: 'op://Home Lab/item/add more/field'", "op://Home Lab/item/add more/field"],
  ["content: op://Home Lab/item/my field # why", "op://Home Lab/item/my field"],
  ["- op://Home Lab/item/my field", "op://Home Lab/item/my field"],
  ["    op://Home Lab/item/my field", "op://Home Lab/item/my field"],
  ["key: [op://Home Lab/item/a b, op://Home Lab/item/c]", "op://Home Lab/item/a b", "op://Home Lab/item/c"],
  ["key: { a: op://Home Lab/item/a b }", "op://Home Lab/item/a b"],
  ['key: {{ "op://Home Lab/item/a b" }}', "op://Home Lab/item/a b"],
  ["key: {{ op://Home Lab/item/a b }}", "op://Home Lab/item/a b"],
  ['run: echo "token=op://Lab/item/field of it"', "op://Lab/item/field"],
  ["key: value # as op://Lab/item/field"],
])("a reference in %s is read to its end", (line, ...references) => expect(referencesIn(line, testCluster())).toEqual(references));
test("a vault with a space in its name", () =>
  expect(
    referencesIn('{{ ref("talos", "X") }}', { onepassword: { ...testCluster().onepassword, vault: "Home Lab" } }).map((one) =>
      one.split("/").at(-1),
    ),
  ).toEqual(["X"]));
test("a name that no home has is refused with the nearest", () =>
  expect(() => referencesIn('{{ ref("talso", "X") }}', testCluster())).toThrow('ref("talso", "X"): no such item, did you mean "talos"?'));
