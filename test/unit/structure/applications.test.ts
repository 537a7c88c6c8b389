// scripts/ knows the platform and no application that a user may remove: data about one is beside it in kubernetes/.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Parts of the platform, by their folders in kubernetes/apps: the bootstrap installs them, or procedures talk to them. */
const PLATFORM = [
  "actions-runner-controller",
  "ceph-csi-drivers",
  "cert-manager",
  "cilium",
  "coredns",
  "external-secrets",
  "flux-instance",
  "flux-operator",
  "home-ops-runner",
  "kopia",
  "onepassword-connect",
  "rook-ceph",
  "rook-ceph-cluster",
  "tuppr",
  "volsync",
];
/** Words that are more than the name of an application: where they may stand, and as what. */
const OTHER_MEANINGS: Record<string, RegExp> = {
  certificates: /\bcertificates?\b/i, // TLS certificates, and Kubernetes' API group of them
  cloudflared: /`cloudflared tunnel list`/, // the command that prints the ID for talos/cluster.yaml
  grafana: /grafana\.integreatly\.org|a Grafana token/, // an API group, and the form of a token
};
/** Facts about charts, by the charts' names; what comes from a vendor. */
const EXEMPT = /^scripts\/(lint\/charts\.yaml|lint\/schemas\/|.*\.json$)/;

const applications = readdirSync("kubernetes/apps", { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(join("kubernetes/apps", name), { withFileTypes: true }))
  .flatMap((entry) => (entry.isDirectory() && !PLATFORM.includes(entry.name) ? [entry.name] : []));
const files = readdirSync("scripts", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !EXEMPT.test(file));

/** The application that a line names. */
const namedIn = (line: string) =>
  applications.find((name) => new RegExp(`(?<![\\w.-])${name}(?![\\w-])`, "i").test(line) && !OTHER_MEANINGS[name]?.test(line));

test("no file of scripts/ names an application", () => {
  const named = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, index) => (namedIn(line) ? [`${file}:${index + 1} ${namedIn(line)}`] : [])),
  );
  expect(named).toEqual([]);
});
test("a name is found as a word, in any case", () => {
  expect(["media/sonarr-secret", "Sonarr's API", "op://v/grafana/x", "certificates"].map(namedIn)).toEqual([
    undefined,
    "sonarr",
    "grafana",
    undefined,
  ]);
});
test("the list of the platform names folders that exist", () => {
  const all = readdirSync("kubernetes/apps").flatMap((name) => (name.endsWith(".yaml") ? [] : readdirSync(join("kubernetes/apps", name))));
  expect(PLATFORM.filter((name) => !all.includes(name))).toEqual([]);
});
