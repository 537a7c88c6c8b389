// An application with a secret is added below kubernetes/ alone: secrets:init, secrets:check and lint:kubernetes see it.
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { loadCluster } from "../../../scripts/lib/cluster/load.ts";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import { forgetSecrets } from "../../../scripts/lib/run/redact.ts";
import { disagreements } from "../../../scripts/lib/tree/agreement.ts";
import { secretsOfHome } from "../../../scripts/lib/secrets/tree.ts";
import { secretsCheck } from "../../../scripts/secrets/check.ts";
import { secretsInit } from "../../../scripts/secrets/init.ts";
import { record } from "../recorder.ts";
import { testVersions } from "../test-cluster.ts";
import { fakeOp } from "./fake-op.ts";

let root: string;
const APP = "kubernetes/apps/selfhosted/wiki";
const EXTERNAL_SECRET = `---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: wiki
spec:
  dataFrom:
    - extract:
        key: \${ITEM_WIKI:=wiki}
  secretStoreRef:
    kind: ClusterSecretStore
    name: onepassword
  target:
    name: wiki-secret
    template:
      data:
        KEY: "{{ .WIKI_SESSION_KEY }}"
        ID: "{{ .WIKI_CLIENT_ID }}"
        SECRET: "{{ .WIKI_CLIENT_SECRET }}"
`;
const SOURCES = `---
secrets:
  - item: \${ITEM_WIKI:=wiki}
    purpose: the wiki's login page
    generate: password
    secret: [WIKI_SESSION_KEY]
  - item: \${ITEM_WIKI:=wiki}
    purpose: login with GitHub
    fetch:
      link: https://github.com/settings/applications/new
      steps: register an OAuth application
      rights: none, it reads the public profile
    public: [WIKI_CLIENT_ID]
    secret: [WIKI_CLIENT_SECRET]
`;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "new-app-"));
  for (const part of ["talos", "bootstrap", "kubernetes", "versions.env", ".sops.yaml"])
    cpSync(part, join(root, part), { recursive: true });
  mkdirSync(join(root, APP, "app"), { recursive: true });
  const ks = readFileSync("kubernetes/apps/selfhosted/meilisearch/ks.yaml", "utf8").replaceAll("meilisearch", "wiki");
  writeFileSync(join(root, APP, "ks.yaml"), ks.replace(/ {2}components:\n(?: {4}.*\n)+/, ""));
  writeFileSync(
    join(root, APP, "app/kustomization.yaml"),
    "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ./externalsecret.yaml\n",
  );
  writeFileSync(join(root, APP, "app/externalsecret.yaml"), EXTERNAL_SECRET);
  writeFileSync(join(root, APP, "secret-sources.yaml"), SOURCES);
  appendFileSync(join(root, "kubernetes/apps/selfhosted/kustomization.yaml"), "  - ./wiki/ks.yaml\n");
});
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  forgetSecrets();
});

test("secrets:init creates one field and lists the others", async () => {
  fakeOp();
  const lab = await record({ root, dryRun: true, env: { HOME_OPS_STATE: join(root, "state"), SOPS_AGE_KEY_FILE: join(root, "age.key") } });
  expect(await lab.run(secretsInit, {})).toMatchObject({ name: "Stop", pending: true });
  expect(lab.plans[0]!.lines).toContain("create item wiki: WIKI_SESSION_KEY");
  expect(lab.said.join("\n")).toContain(
    [
      "https://github.com/settings/applications/new",
      "  for     login with GitHub",
      "  how     register an OAuth application",
      "  rights  none, it reads the public profile",
      "  item  field",
      "  wiki  WIKI_CLIENT_ID",
      "  wiki  WIKI_CLIENT_SECRET",
    ].join("\n"),
  );
});
test("secrets:check looks for all of them, and says where they come from", async () => {
  const absent = { err: "no such field", code: 1 };
  const lab = await record({
    root,
    env: { HOME_OPS_STATE: join(root, "state") },
    answers: {
      "cat | op inject": { err: "could not read secret", code: 1 },
      "op read": "x",
      "op read --no-newline op://Infrastructure/wiki/WIKI_SESSION_KEY": absent,
      "op read --no-newline op://Infrastructure/wiki/WIKI_CLIENT_SECRET": absent,
    },
  });
  expect(await lab.run(secretsCheck, {})).toBeUndefined();
  const rows = lab.results[0] as { item: string }[];
  expect(rows.filter(({ item }) => item === "wiki")).toMatchObject([
    { field: "WIKI_SESSION_KEY", resolves: false, from: "task secrets:init" },
    { field: "WIKI_CLIENT_ID", resolves: true, now: false, purpose: "login with GitHub" },
    { field: "WIKI_CLIENT_SECRET", resolves: false, from: "https://github.com/settings/applications/new" },
  ]);
});
test("lint:kubernetes finds nothing wrong, and what the declaration lacks without it", async () => {
  const home = { kubernetes: testVersions.KUBERNETES_VERSION, cluster: loadCluster(root, () => {}) };
  const faults = async () => {
    const { findings } = await lint({ root }, home);
    return findings
      .filter(({ file }) => file.includes("/wiki/"))
      .map(({ level, file, line, message }) => `${level} ${file}:${line} ${message}`);
  };
  expect(await faults()).toEqual([]);
  const file = join(root, APP, "secret-sources.yaml");
  writeFileSync(file, SOURCES.replace("[WIKI_SESSION_KEY]", "[WIKI_SESION_KEY]"));
  const found = await faults();
  writeFileSync(file, SOURCES);
  expect(found).toEqual([
    `error ${APP}/app/externalsecret.yaml:2 reads the field WIKI_SESSION_KEY of the item wiki, which no secret-sources.yaml declares; did you mean WIKI_SESION_KEY?`,
    `note ${APP}/secret-sources.yaml:3 declares the field WIKI_SESION_KEY of the item wiki, which no ExternalSecret reads`,
  ]);
});
test("secrets:init names a field that is read and not declared, and stops at a file that it cannot read", async () => {
  fakeOp();
  const file = join(root, APP, "secret-sources.yaml");
  const run = async (text: string) => {
    writeFileSync(file, text);
    const lab = await record({
      root,
      dryRun: true,
      env: { HOME_OPS_STATE: join(root, "state"), SOPS_AGE_KEY_FILE: join(root, "age.key") },
    });
    const end = await lab.run(secretsInit, {});
    writeFileSync(file, SOURCES);
    return { end: String(end), lines: lab.plans[0]?.lines ?? [] };
  };
  const { lines } = await run(SOURCES.replace("    secret: [WIKI_CLIENT_SECRET]\n", ""));
  expect(lines).toContain(
    `warning: ${APP}/app/externalsecret.yaml:2: reads the field WIKI_CLIENT_SECRET of the item wiki, which no secret-sources.yaml declares`,
  );
  const { end } = await run(SOURCES.replace("generate: password", "generate: word"));
  expect(end).toBe(`UsageError: ${APP}/secret-sources.yaml:5: secrets[0].generate: must be password (32 letters and digits)`);
});
test("a home that calls the item something else names it in talos/cluster.yaml, also before task configure", async () => {
  const home = loadCluster(root, () => {});
  const renamed = { ...home, onepassword: { ...home.onepassword, renamed: { wiki: "Our Wiki" } } };
  const { entries, references, undeclared } = await secretsOfHome(root, renamed);
  expect(undeclared).toEqual([]);
  expect(entries.filter(({ item }) => item === "Our Wiki").map(({ field }) => field)).toEqual([
    "WIKI_SESSION_KEY",
    "WIKI_CLIENT_ID",
    "WIKI_CLIENT_SECRET",
  ]);
  expect([...references.keys()]).toContain("op://Infrastructure/Our Wiki/WIKI_SESSION_KEY");
  const read = async (file: string) => readFileSync(join(root, file), "utf8");
  expect((await disagreements(renamed, testVersions, read)).map(({ field, has, wants }) => `${field} ${has} ${wants}`)).toContain(
    "postBuild.substitute.ITEM_WIKI missing Our Wiki",
  );
});
