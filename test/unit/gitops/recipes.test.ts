// The choices that docs/cluster.md describes, followed literally on a copy of the tree: the result can still start from nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadCluster } from "../../../scripts/lib/cluster/load.ts";
import { disagreements, settle } from "../../../scripts/lib/tree/agreement.ts";
import { lint } from "../../../scripts/lib/lint/lint.ts";
import { secretsOfHome } from "../../../scripts/lib/secrets/tree.ts";
import { loadVersions } from "../../../scripts/lib/cluster/versions.ts";

const PAGE = readFileSync("docs/cluster.md", "utf8");
let folder: string;
let root: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "recipes-"))));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  root = join(folder, "tree");
  rmSync(root, { recursive: true, force: true });
  for (const part of ["talos", "bootstrap", "kubernetes", "versions.env", ".sops.yaml"])
    cpSync(part, join(root, part), { recursive: true });
});

/** Replaces a text that must stand in the file, as a person edits it. */
function edit(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(join(root, file), "utf8");
  expect(text, file).toMatch(from);
  writeFileSync(join(root, file), text.replace(from, to));
}
const component = (name: string) => `components:\n  - ../../../../components/${name}\nresources:`;

/** `task configure`. */
async function configure(): Promise<void> {
  const found = await disagreements(
    loadCluster(root, () => {}),
    loadVersions(root, {}),
    (file) => readFile(join(root, file), "utf8"),
  );
  for (const file of new Set(found.map((one) => one.file))) {
    const about = found.filter((one) => one.file === file);
    writeFileSync(join(root, file), await settle(readFileSync(join(root, file), "utf8"), about));
  }
}
/** `task lint:kubernetes`: the errors. */
async function errors(): Promise<string[]> {
  const home = {
    kubernetes: loadVersions(root, {}).KUBERNETES_VERSION,
    cluster: loadCluster(root, () => {}),
    cache: join(folder, "cache"),
  };
  const { findings, convergence } = await lint({ root }, home);
  expect(convergence).toBeDefined();
  return findings.filter(({ level }) => level === "error").map(({ file, message }) => `${file}: ${message}`);
}

interface Recipe {
  /** Words of the page, so that the recipe changes with it. */
  page: string[];
  follow(): void;
}
const RECIPES: Record<string, Recipe> = {
  "a home without UniFi": {
    page: ["./external-dns-unifi/ks.yaml", "kubernetes/apps/network/kustomization.yaml", "and `unifi` from `talos/cluster.yaml`"],
    follow() {
      edit("kubernetes/apps/network/kustomization.yaml", "  - ./external-dns-unifi/ks.yaml\n", "");
      edit("talos/cluster.yaml", /^unifi:\n(?: .*\n)+/m, "");
    },
  },
  "BGP instead of layer 2": {
    page: [
      "`../../../../components/cilium-bgp`",
      "kubernetes/apps/kube-system/cilium/config/kustomization.yaml",
      "./ciliuml2announcementpolicy.yaml",
    ],
    follow() {
      const file = "kubernetes/apps/kube-system/cilium/config/kustomization.yaml";
      edit(file, "resources:", component("cilium-bgp"));
      edit(file, "  - ./ciliuml2announcementpolicy.yaml\n", "");
    },
  },
  "layer 2 in a home that says nothing of BGP": {
    page: ["Gateways are announced by ARP"],
    follow: () => edit("talos/cluster.yaml", /^ {2}bgp:.*\n(?: {4}.*\n)+/m, ""),
  },
  "Let's Encrypt": {
    page: [
      "kubernetes/apps/network/certificates/app/certificate.yaml",
      "kubernetes/apps/network/certificates-import/app/externalsecret.yaml",
      "kubernetes/apps/cert-manager/cert-manager/ks.yaml",
    ],
    follow() {
      edit("kubernetes/apps/network/certificates/app/certificate.yaml", "name: google", "name: letsencrypt");
      edit("kubernetes/apps/network/certificates-import/app/externalsecret.yaml", "issuer-name: google", "issuer-name: letsencrypt");
      edit("kubernetes/apps/cert-manager/cert-manager/ks.yaml", "name: google", "name: letsencrypt");
    },
  },
  "issuers for trying things out": {
    page: ["`../../../../components/issuers-staging`", "kubernetes/apps/cert-manager/cert-manager/config/kustomization.yaml"],
    follow() {
      edit("kubernetes/apps/cert-manager/cert-manager/config/kustomization.yaml", "resources:", component("issuers-staging"));
      edit("kubernetes/apps/network/certificates/app/certificate.yaml", "name: google", "name: letsencrypt-staging");
    },
  },
  "disks of a cluster that is gone": {
    page: ["cleanupPolicy.wipeDevicesFromOtherClusters: true", "kubernetes/apps/rook-ceph/rook-ceph-cluster/app/helmrelease.yaml"],
    follow: () =>
      edit(
        "kubernetes/apps/rook-ceph/rook-ceph-cluster/app/helmrelease.yaml",
        "wipeDevicesFromOtherClusters: false",
        "wipeDevicesFromOtherClusters: true",
      ),
  },
};

test.each(Object.entries(RECIPES))(
  "%s passes lint:kubernetes",
  async (_name, { page, follow }) => {
    for (const words of page) expect(PAGE).toContain(words);
    follow();
    await configure();
    expect(await errors()).toEqual([]);
  },
  60_000,
);

test("a home without UniFi needs no secret of UniFi", async () => {
  RECIPES["a home without UniFi"]!.follow();
  await configure();
  const home = loadCluster(root, () => {});
  const { references: found } = await secretsOfHome(root, home);
  const references = [...found.keys()];
  expect(references.length).toBeGreaterThan(10);
  expect(references.filter((reference) => /\/unifi\//i.test(reference))).toEqual([]);
});

test("a file that a choice leaves out, without a line `# optional:`, is still an error", async () => {
  RECIPES["a home without UniFi"]!.follow();
  edit("kubernetes/apps/network/external-dns-unifi/ks.yaml", /^# optional: .*\n/m, "");
  await configure();
  expect(await errors()).toEqual([
    "kubernetes/apps/network/external-dns-unifi/app/kustomization.yaml: no kustomization includes it",
    "kubernetes/apps/network/external-dns-unifi/ks.yaml: no kustomization includes it",
  ]);
}, 60_000);
