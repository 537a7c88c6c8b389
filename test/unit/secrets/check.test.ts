// secrets:check: what resolves, who makes the rest, and when that is a failure.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { forgetSecrets } from "../../../scripts/lib/run/redact.ts";
import { rowsOf, secretsCheck, wantedBy } from "../../../scripts/secrets/check.ts";
import { describedBy } from "../../../scripts/lib/secrets/entries.ts";
import { knownEntries, secretsOfHome } from "../../../scripts/lib/secrets/tree.ts";
import { record } from "../recorder.ts";
import { testCluster } from "../test-cluster.ts";
import { writeSmallTree } from "./small-tree.ts";

afterEach(forgetSecrets);

const cluster = testCluster();

const ENTRIES = await knownEntries(process.cwd(), cluster);

/** A repository whose templates hold this text. */
function repository(text: string): string {
  const root = mkdtempSync(join(tmpdir(), "check-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeSmallTree(root);
  mkdirSync(join(root, "talos"));
  writeFileSync(join(root, "talos/controlplane.yaml.njk"), text);
  return root;
}

test("wanted is everything that is declared, and what only templates name, which is needed now", () => {
  const wanted = wantedBy(
    ENTRIES,
    new Map([
      ["op://Infrastructure/unifi/UNIFI_API_KEY", "talos/a.yaml"],
      ["op://Other/item/field", "talos/b.yaml"],
    ]),
  );
  expect(wanted.find(({ reference }) => reference.endsWith("UNIFI_API_KEY"))).toEqual({
    reference: "op://Infrastructure/unifi/UNIFI_API_KEY",
    now: true,
    purpose: "DNS records at home",
  });
  expect(wanted.at(-1)).toEqual({ reference: "op://Other/item/field", now: true, purpose: "talos/b.yaml" });
  expect(wanted.map(({ reference }) => reference)).not.toContain("op://Infrastructure/kubeconfig/kubeconfig");
});
test("each gets a row", () =>
  expect(
    rowsOf(
      [
        { reference: "op://v/talos/CLUSTER_ID", now: true, purpose: "p" },
        { reference: "op://v/unifi/UNIFI_API_KEY", now: false, purpose: "q" },
      ],
      new Map([
        ["op://v/talos/CLUSTER_ID", { missing: "no" }],
        ["op://v/unifi/UNIFI_API_KEY", { value: "x" }],
      ]),
      describedBy(ENTRIES.map((entry) => ({ ...entry, vault: "v" }))),
    ),
  ).toEqual([
    {
      reference: "op://v/talos/CLUSTER_ID",
      item: "talos",
      field: "CLUSTER_ID",
      resolves: false,
      now: true,
      purpose: "p",
      from: "task secrets:init",
    },
    { reference: "op://v/unifi/UNIFI_API_KEY", item: "unifi", field: "UNIFI_API_KEY", resolves: true, now: false, purpose: "q" },
  ]));
test("what a bootstrap needs and is not there fails, after the table", async () => {
  const lab = await record({
    root: repository("token: op://Other/item/field"),
    answers: {
      "cat | op inject": { err: "[ERROR] 2026/06/01 12:00:00 could not read secret", code: 1 },
      "op read": "taint-value",
      "op read --no-newline op://Other/item/field": {
        err: "[ERROR] 2026/06/01 12:00:00 item 'Other/item' does not have a field 'field'",
        code: 1,
      },
      "op read --no-newline op://Infrastructure/flux/FLUX_GITHUB_TOKEN": { err: "no such field", code: 1 },
    },
  });
  expect(String(await lab.run(secretsCheck, {}))).toBe(
    "Failure: could not resolve a reference that a bootstrap needs\n  said: op://Other/item: field\n  next: task secrets:init (creates what can be created, says where to fetch the rest)",
  );
  expect(
    lab.said[1]!.split("\n")
      .filter((line) => /^(talos |flux|item)/.test(line))
      .map((line) => line.replaceAll(/ +/g, " ")),
  ).toEqual([
    "item state needed fields from",
    "talos resolves now 14 fields",
    "flux resolves later FLUX_GITHUB_WEBHOOK_TOKEN",
    "flux missing later FLUX_GITHUB_TOKEN https://github.com/settings/personal-access-tokens/new",
    "item missing now field you: no secret-sources.yaml declares it (docs/secrets.md)",
  ]);
  expect(lab.said[0]).toContain(
    "vault Infrastructure, which the cluster's token reads, also holds what only you need: talos, sops, 1password, talosdeploy.",
  );
  expect(lab.said[2]).toBe("45 of 47 references resolve");
  expect(JSON.stringify([lab.said, lab.results])).not.toContain("taint-value");
});
test("what only apps need does not fail", async () => {
  const lab = await record({
    root: repository(""),
    answers: {
      "cat | op inject": { err: "could not read secret", code: 1 },
      "op read": "x",
      "op read --no-newline op://Infrastructure/ilert/ILERT_WEBHOOK_URL": { err: "no such field", code: 1 },
    },
  });
  expect(await lab.run(secretsCheck, {})).toBeUndefined();
  expect(lab.said.at(-1)).toBe("45 of 46 references resolve");
  expect(lab.effects).toEqual([]);
});

test("what only the tree asks for is wanted later, with the place that asks", () => {
  const wanted = wantedBy(ENTRIES, new Map(), new Map([["op://Infrastructure/own/TOKEN", "kubernetes/apps/x/app/externalsecret.yaml:3"]]));
  expect(wanted.at(-1)).toEqual({
    reference: "op://Infrastructure/own/TOKEN",
    now: false,
    purpose: "kubernetes/apps/x/app/externalsecret.yaml:3",
  });
});
test("our tree reads nothing that is not declared", async () => {
  const { entries, references: asked } = await secretsOfHome(process.cwd(), cluster);
  const known = wantedBy(entries, new Map()).map(({ reference }) => reference);
  expect(asked.size).toBeGreaterThan(10);
  expect([...asked.keys()].filter((name) => !known.includes(name))).toEqual([]);
});
