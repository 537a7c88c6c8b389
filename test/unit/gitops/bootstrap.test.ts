// What bootstrap/ brings before Flux, against the tree that Flux will walk: nothing stands twice, nothing is missing.
import nunjucks from "nunjucks";
import { describe, expect, it } from "vitest";
import { reference } from "../../../scripts/lib/cluster/cluster.ts";
import { releaseNames } from "../../../scripts/lib/kubernetes/helm.ts";
import { testCluster } from "../test-cluster.ts";
import { type Any, documentsOf, exists, namespaceOf, ofKind, read, releasesOf, TREE } from "./tree.ts";

const APPS = "bootstrap/helmfile.d/01-apps.yaml";
const CRDS = "bootstrap/helmfile.d/00-crds.yaml";

describe("01-apps.yaml", () => {
  const releases = releasesOf(APPS);

  it("has the seven releases in their order", async () => {
    expect(releases.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      "kube-system/cilium",
      "kube-system/coredns",
      "kube-system/spegel",
      "cert-manager/cert-manager",
      "external-secrets/external-secrets",
      "flux-system/flux-operator",
      "flux-system/flux-instance",
    ]);
    expect(await releaseNames(read(APPS))).toEqual(releases.map(({ name }) => name));
  });

  it("each needs exactly the one before", () => {
    const before = [undefined, ...releases];
    expect(releases.map(({ needs }) => needs)).toEqual(
      releases.map((_, index) => before[index] && [`${before[index].namespace}/${before[index].name}`]),
    );
  });

  it("each reads chart, version and values from its app's files, and says none of them itself", () => {
    for (const release of releases) {
      expect(release.inherit, release.name).toEqual([{ template: "app" }]);
      expect(
        Object.keys(release).filter((key) => ["chart", "version", "values", "set"].includes(key)),
        release.name,
      ).toEqual([]);
      for (const file of ["ocirepository.yaml", "helmrelease.yaml"])
        expect(exists(`kubernetes/apps/${release.namespace}/${release.name}/app/${file}`), release.name).toBe(true);
    }
  });

  it("reads them with the few template forms that its stand-in knows", () => {
    const { templates, helmDefaults } = documentsOf(APPS)[0]!.object;
    const file = (name: string, up = "../..") =>
      `(readFile (printf "${up}/kubernetes/apps/%s/%s/app/${name}" .Release.Namespace .Release.Name) | fromYaml)`;
    expect(templates.app).toEqual({
      chart: `{{ ${file("ocirepository.yaml")}.spec.url }}`,
      version: `{{ ${file("ocirepository.yaml")}.spec.ref.tag }}`,
      values: ["templates/values.yaml.gotmpl"],
    });
    expect(read("bootstrap/helmfile.d/templates/values.yaml.gotmpl")).toBe(
      `{{ ${file("helmrelease.yaml", "../../..")}.spec.values | toYaml }}\n`,
    );
    expect(helmDefaults).toEqual({
      cleanupOnFail: true,
      createNamespace: false,
      forceConflicts: true,
      timeout: 600,
      wait: true,
      waitForJobs: true,
    });
  });
});

describe("00-crds.yaml", () => {
  const releases = releasesOf(CRDS);

  it("brings the kinds that others use before their chart is installed", () => {
    expect(releases.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      "network/envoy-gateway",
      "network/external-dns-cloudflare",
      "observability/grafana-operator",
      "observability/keda",
      "observability/kube-prometheus-stack",
      "kube-system/snapshot-controller",
      "volsync-system/volsync",
    ]);
  });

  it("reads chart and version of an application from its own file, and pins the others for Renovate to raise", () => {
    expect(documentsOf(CRDS)[0]!.object.templates.app).toEqual({
      chart: documentsOf(APPS)[0]!.object.templates.app.chart,
      version: documentsOf(APPS)[0]!.object.templates.app.version,
    });
    for (const { name, namespace, chart, version, inherit } of releases) {
      const isApp = exists(`kubernetes/apps/${namespace}/${name}/app/ocirepository.yaml`);
      if (isApp) expect({ chart, version, inherit }, name).toEqual({ inherit: [{ template: "app" }] });
      else
        expect(read(CRDS)).toContain(
          `    chart: ${chart}\n    # renovate: datasource=docker depName=${chart!.replace("oci://", "")}\n    version: ${version}\n`,
        );
    }
  });

  it("repeats no release of 01-apps.yaml", () => {
    const names = releasesOf(APPS).map(({ name }) => name);
    expect(releases.filter(({ name }) => names.includes(name))).toEqual([]);
  });
});

describe("resources.yaml.njk", () => {
  const cluster = testCluster();
  const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true, trimBlocks: true, lstripBlocks: true });
  const text = environment.renderString(read("bootstrap/resources.yaml.njk"), {
    cluster,
    ref: (item: "sops", field: string) => reference(cluster, item, field),
  });
  const resources = documentsOf("resources.yaml", text);

  it("makes namespaces first, then each Secret once", () => {
    expect(resources.map(({ kind, name, object }) => `${kind} ${object.metadata.namespace ?? ""}/${name}`)).toEqual([
      "Namespace /cert-manager",
      "Namespace /external-secrets",
      "Namespace /flux-system",
      "Namespace /kube-system",
      "Secret external-secrets/onepassword-secret",
      "Secret flux-system/sops-age-secret",
    ]);
  });

  it("holds references where the secrets will be, and nothing else that is secret", () => {
    expect(
      Object.fromEntries(resources.filter(({ kind }) => kind === "Secret").map(({ name, object }) => [name, object.stringData])),
    ).toEqual({
      "onepassword-secret": {
        "1password-credentials.json": "op://Infrastructure/1password/OP_CREDENTIALS_JSON",
        token: "op://Infrastructure/1password/OP_CONNECT_TOKEN",
      },
      "sops-age-secret": { "age.agekey": "op://Infrastructure/sops/SOPS_PRIVATE_KEY" },
    });
  });

  it("has a namespace for every release, and for every namespace of the tree", () => {
    const made = resources.filter(({ kind }) => kind === "Namespace").map(({ name }) => name);
    expect(
      releasesOf(APPS)
        .map(({ namespace }) => namespace)
        .filter((name) => !made.includes(name)),
    ).toEqual([]);
    for (const { object } of resources.filter(({ kind }) => kind === "Secret")) expect(made).toContain(object.metadata.namespace);
  });

  it("annotates and labels namespaces as Flux will", () => {
    const [component] = documentsOf("kubernetes/components/namespace/namespace.yaml");
    for (const { name, object } of resources.filter(({ kind }) => kind === "Namespace")) {
      const [parent] = documentsOf(`kubernetes/apps/${name}/kustomization.yaml`);
      const privileged = JSON.stringify(parent!.object.patches ?? []).includes("value: privileged");
      const labels = privileged ? { "pod-security.kubernetes.io/enforce": "privileged" } : component!.object.metadata.labels;
      expect(object.metadata, name).toEqual({ ...component!.object.metadata, name, labels });
    }
  });
});

it("every Secret that the tree asks for is made by bootstrap, by an ExternalSecret, or by cert-manager for a Certificate", () => {
  const targets = ofKind("ExternalSecret", "external-secrets.io").map(
    ({ file, name, object }) => `${namespaceOf(file)}/${object.spec.target?.name ?? name}`,
  );
  const certificates = ofKind("Certificate", "cert-manager.io").map(({ file, object }) => `${namespaceOf(file)}/${object.spec.secretName}`);
  const made = ["external-secrets/onepassword-secret", "flux-system/sops-age-secret", ...targets, ...certificates];
  const asked = TREE.filter(({ file, kind }) => file.startsWith("kubernetes/apps/") && kind !== "Certificate").flatMap(({ file, object }) =>
    secretsAsked(object).map((name) => `${namespaceOf(file)}/${name.replace("{{ .Release.Name }}", object.metadata.name)}`),
  );
  expect(asked).toContain("external-secrets/onepassword-secret");
  expect(asked.filter((secret) => !made.includes(secret))).toEqual([]);
});

/** Names under keys that name Secrets: `…SecretRef.name`, `secretName`, `credentialsName`, `--sops-age-secret=`. */
function secretsAsked(value: Any, key = ""): string[] {
  if (typeof value === "string")
    return /^(secretName|credentialsName)$/.test(key) ? [value] : [...value.matchAll(/--sops-age-secret=(\S+)/g)].map(([, name]) => name!);
  if (typeof value !== "object" || value === null) return [];
  const own =
    /secretRef$/i.test(key) &&
    key !== "privateKeySecretRef" && // an ACME account's, which cert-manager makes
    typeof value.name === "string"
      ? [value.name as string]
      : [];
  return [...own, ...Object.entries(value as object).flatMap(([name, inner]) => secretsAsked(inner, Array.isArray(value) ? key : name))];
}
