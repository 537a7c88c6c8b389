// One vault for one run: known once, fetched together, hidden at once, every missing one named.
import { afterEach, expect, test } from "vitest";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { forgetSecrets, redact } from "../../../scripts/lib/run/redact.ts";
import { silentReport } from "../../../scripts/lib/run/report.ts";
import { describedBy } from "../../../scripts/lib/secrets/entries.ts";
import { referenceOf } from "../../../scripts/lib/secrets/entry.ts";
import { knownEntries } from "../../../scripts/lib/secrets/tree.ts";
import { lookUp, openVault as openVaultOf } from "../../../scripts/lib/secrets/vault.ts";
import { testCluster } from "../test-cluster.ts";
import type { Resolution, Source } from "../../../scripts/lib/secrets/source.ts";

afterEach(() => {
  forgetSecrets();
  openGate(silentReport, false);
});

const ref = (field: string) => `op://Infrastructure/talos/${field}`;

const ENTRIES = await knownEntries(process.cwd(), testCluster());
const KNOWN = describedBy(ENTRIES);
const openVault = (env: NodeJS.ProcessEnv, answer: Source) => openVaultOf(env, async () => KNOWN, answer);

/** A source that answers with the field's name, and notes what it was asked for. */
function source(missing: Record<string, string> = {}) {
  const asked: string[][] = [];
  const answer: Source = async (references) => {
    asked.push([...references]);
    await Promise.resolve();
    return new Map(
      references.map((one): [string, Resolution] => [one, missing[one] ? { missing: missing[one] } : { value: `secret of ${one}` }]),
    );
  };
  return { asked, answer };
}

test("values by reference, asked for once", async () => {
  const { asked, answer } = source();
  const vault = openVault({}, answer);
  expect([...(await vault.resolve([ref("A"), ref("B"), ref("A")]))]).toEqual([
    [ref("A"), `secret of ${ref("A")}`],
    [ref("B"), `secret of ${ref("B")}`],
  ]);
  await vault.resolve([ref("B"), ref("C")]);
  expect(asked).toEqual([[ref("A"), ref("B")], [ref("C")]]);
});
test("those who ask at the same time share one fetch", async () => {
  const { asked, answer } = source();
  const vault = openVault({}, answer);
  const got = await Promise.all([vault.resolve([ref("A"), ref("B")]), vault.resolve([ref("B"), ref("C")]), vault.resolve([])]);
  expect(got.map((values) => values.size)).toEqual([2, 2, 0]);
  expect(asked).toEqual([[ref("A"), ref("B"), ref("C")]]);
});
test("one that is under way is not asked for again", async () => {
  const asked: string[][] = [];
  let give = () => {};
  const vault = openVault({}, async (references) => {
    asked.push([...references]);
    await new Promise<void>((resolve) => void (give = resolve));
    return new Map(references.map((one) => [one, { value: "x" }]));
  });
  const first = vault.resolve([ref("A")]);
  while (asked.length === 0) await new Promise(setImmediate);
  const second = vault.resolve([ref("A")]);
  give();
  expect([(await first).size, (await second).size, asked.length]).toEqual([1, 1, 1]);
});
test("values are hidden, what is public is not", async () => {
  await openVault(
    {},
    async (references) => new Map(references.map((one) => [one, { value: one.endsWith("API") ? "key-of-the-nas" : "nas.home" }])),
  ).resolve(["op://Infrastructure/talosdeploy/TRUENAS_API", "op://Infrastructure/talosdeploy/TRUENAS_HOST"]);
  expect(redact("key-of-the-nas at nas.home")).toBe("******** at nas.home");
});
test("two items with a field of one name: only the one that is declared public is shown", async () => {
  const place = { source: { init: "password" }, purpose: "p", now: false } as const;
  const known = describedBy([
    { ...place, vault: "v", item: "a", field: "ID", public: true },
    { ...place, vault: "v", item: "b", field: "ID", public: false },
  ]);
  await openVaultOf(
    {},
    async () => known,
    async (references) => new Map(references.map((one) => [one, { value: `value-of-${one.split("/")[3]}` }])),
  ).resolve(["op://v/a/ID", "op://v/b/ID", "op://v/c/ID"]);
  expect(redact("value-of-a value-of-b value-of-c")).toBe("value-of-a ******** ********");
});
test("every missing one is named, a line for each item, with who makes it", async () => {
  const missing = {
    [ref("CLUSTER_ID")]: "item 'Infrastructure/talos' does not have a field 'CLUSTER_ID'",
    "op://Infrastructure/unifi/UNIFI_API_KEY": `"unifi" isn't an item in the "Infrastructure" vault. Specify the item with its UUID, name, or domain.`,
    "op://Infrastructure/x/y": "no such item",
    [ref("CLUSTER_SECRET")]: "item 'Infrastructure/talos' does not have a field 'CLUSTER_SECRET'",
    [ref("CLUSTER_TOKEN")]: "the field has no value",
  };
  const failed = await openVault({}, source(missing).answer)
    .resolve([ref("A"), ...Object.keys(missing)])
    .catch((error: Error) => error.message);
  expect(failed).toBe(
    [
      "could not resolve 5 references in 1Password",
      "  said: op://Infrastructure/talos: item 'Infrastructure/talos' does not have a field 'CLUSTER_ID, CLUSTER_SECRET'; CLUSTER_TOKEN: the field has no value; task secrets:init creates it",
      "        op://Infrastructure/unifi: the item is missing (UNIFI_API_KEY); only you can fetch it: https://YOUR-UNIFI/network/default/settings/control-plane/integrations (rights: an administrator who may edit network settings (DNS))",
      "        op://Infrastructure/x: y: no such item; yours to create: no secret-sources.yaml declares it (docs/secrets.md)",
      "  now:  nothing was changed",
      "  next: task secrets:init, fill in what only you can fetch, then the same command again",
    ].join("\n"),
  );
});
test("an empty vault is one line for each item, and no field has the words about another", async () => {
  const references = ENTRIES.map(referenceOf);
  const words = (one: string) =>
    `"${one.split("/")[3]}" isn't an item in the "Infrastructure" vault. Specify the item with its UUID, name, or domain.`;
  const failed = await openVault({}, source(Object.fromEntries(references.map((one) => [one, words(one)]))).answer)
    .resolve(references)
    .catch((error: Error) => error.message);
  const lines = String(failed)
    .split("\n")
    .filter((line) => line.includes("op://"));
  expect(lines).toHaveLength(new Set(references.map((one) => one.split("/")[3])).size);
  expect(lines[0]).toBe("  said: op://Infrastructure/talos: the item is missing (14 fields); task secrets:init creates it");
  expect(lines.find((line) => line.includes("/flux:"))).toBe(
    "        op://Infrastructure/flux: the item is missing (FLUX_GITHUB_WEBHOOK_TOKEN, FLUX_GITHUB_TOKEN); FLUX_GITHUB_WEBHOOK_TOKEN: task secrets:init creates it; FLUX_GITHUB_TOKEN: only you can fetch it: https://github.com/settings/personal-access-tokens/new (rights: Commit statuses: read and write)",
  );
});
test("a missing one spoils nothing for who did not ask for it, and is asked for again", async () => {
  const missing: Record<string, string> = { [ref("B")]: "no such field" };
  const { asked, answer } = source(missing);
  const vault = openVault({}, answer);
  const [a, b] = await Promise.allSettled([vault.resolve([ref("A")]), vault.resolve([ref("B")])]);
  expect([a.status, b.status]).toEqual(["fulfilled", "rejected"]);
  delete missing[ref("B")];
  expect((await vault.resolve([ref("A"), ref("B")])).size).toBe(2);
  expect(asked).toEqual([[ref("A"), ref("B")], [ref("B")]]);
});
test("what concerns all is thrown to all, and the next one may try", async () => {
  let signedIn = false;
  const vault = openVault({}, async (references) => {
    if (!signedIn) throw new Error("not signed in");
    return new Map(references.map((one) => [one, { value: "x" }]));
  });
  const both = await Promise.allSettled([vault.resolve([ref("A")]), vault.resolve([ref("B")])]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  signedIn = true;
  expect((await vault.resolve([ref("A")])).size).toBe(1);
});
test("what is no reference is refused before anything is asked", async () => {
  const { asked, answer } = source();
  await expect(openVault({}, answer).resolve([ref("A"), "op://v/it's/f"])).rejects.toThrow("is no reference");
  expect(asked).toEqual([]);
});
test("half of Connect's variables is refused", () =>
  expect(openVault({ OP_CONNECT_HOST: "http://nas:8080" }, source().answer).resolve([ref("A")])).rejects.toThrow(
    "OP_CONNECT_HOST is set without OP_CONNECT_TOKEN",
  ));
test("looking up tells what is missing without failing", async () => {
  const answers = await lookUp([ref("A"), ref("B")], KNOWN, source({ [ref("B")]: "no such field" }).answer);
  expect([...answers.values()]).toEqual([{ value: `secret of ${ref("A")}` }, { missing: "no such field" }]);
  expect((await lookUp([], KNOWN, source().answer)).size).toBe(0);
});
