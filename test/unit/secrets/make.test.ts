// Made values: enough of them, in letters that no file format minds, and a bundle that lacks nothing.
import { afterEach, expect, test } from "vitest";
import { forgetSecrets, redact } from "../../../scripts/lib/run/redact.ts";
import { knownEntries } from "../../../scripts/lib/secrets/tree.ts";
import { makeValues, password } from "../../../scripts/lib/secrets/make.ts";
import { bundleFromFields } from "../../../scripts/lib/secrets/talos-bundle.ts";
import { record } from "../recorder.ts";
import { testCluster, testVersions } from "../test-cluster.ts";

afterEach(forgetSecrets);

const ENTRIES = await knownEntries(process.cwd(), testCluster());
const of = (item: string) => ENTRIES.filter((entry) => entry.item === item);

test("a password has 32 letters and digits, and is never the same", () => {
  const many = new Set(Array.from({ length: 100 }, password));
  expect(many.size).toBe(100);
  for (const one of many) expect(one).toMatch(/^[A-Za-z0-9]{32}$/);
});
test("Talos' values come from one bundle, of the Talos that runs here", async () => {
  const lab = await record({ answers: { "talosctl gen secrets": await bundleFromFields((field) => `value of ${field}`) } });
  const made = await makeValues(of("talos"), { versions: testVersions });
  expect(lab.commands).toEqual(["ask talosctl gen secrets --talos-version v1.13.9 --output-file -"]);
  expect(made).toHaveLength(14);
  expect(made.every(({ field, value }) => value === `value of ${field}`)).toBe(true);
  expect(redact("value of CLUSTER_ID, value of CLUSTER_CA_CRT")).toBe("********, value of CLUSTER_CA_CRT");
});
test("a bundle that lacks something is not stored", async () => {
  await record({ answers: { "talosctl gen secrets": "cluster:\n  id: x\n" } });
  await expect(makeValues(of("talos"), { versions: testVersions })).rejects.toThrow(
    "could not read the output of `talosctl gen secrets`: .cluster.secret is missing",
  );
});
test("nothing else starts a command", async () => {
  const lab = await record();
  const made = await makeValues([...of("sops"), ...of("volsync-template")], { versions: testVersions });
  expect(made.map(({ field, value }) => [field, value.slice(0, 16).length])).toEqual([
    ["SOPS_PRIVATE_KEY", 16],
    ["KOPIA_PASSWORD", 16],
    ["KOPIA_SERVER_PASSWORD", 16],
  ]);
  expect(made[0]!.value).toMatch(/^AGE-SECRET-KEY-1/);
  expect(lab.commands).toEqual([]);
});
test("what a machine cannot make is refused", () =>
  expect(makeValues(of("kubeconfig"), { versions: testVersions })).rejects.toThrow("nothing makes kubeconfig"));
