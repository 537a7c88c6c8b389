// Every manifest against the schema of its kind: strict, so a misspelt key fails here and not in the cluster.
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Any, documentsOf, exists, FILES, read, substituted, TREE } from "./tree.ts";

const SCHEMAS = "scripts/lint/schemas";
const KUBERNETES = parse(read("versions.env").replaceAll("=", ": ")).KUBERNETES_VERSION as string;
const HOST = "https://k8s-schemas.home-operations.com";

/** Go's way to ignore case, which JavaScript writes as a flag. */
const goRegExp = Object.assign(
  (pattern: string, flags: string) => new RegExp(pattern.replaceAll("(?i)", ""), pattern.includes("(?i)") ? `${flags}i` : flags),
  { code: "goRegExp" },
);

const ajv = new Ajv({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  validateFormats: false,
  code: { regExp: goRegExp },
});
ajv.addVocabulary([
  "example",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
  "x-kubernetes-group-version-kind",
  "x-kubernetes-embedded-resource",
]);
const compiled = new Map<string, ValidateFunction>();

/** Where the schema of a kind is: crds/cilium.io/ciliumloadbalancerippool_v2.json, kubernetes/v1.36.5/deployment_apps_v1.json. */
function schemaPath({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  const name = kind.toLowerCase();
  const custom = `crds/${group}/${name}_${version}.json`;
  return exists(`${SCHEMAS}/${custom}`) ? custom : `kubernetes/${KUBERNETES}/${[name, group, version].filter(Boolean).join("_")}.json`;
}

/** The same at the host that editors ask: cilium.io/ciliumloadbalancerippool_v2.json, core/namespace_v1.json. */
function editorPath({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const [version = "", group = "core"] = apiVersion.split("/").toReversed();
  return `${group}/${kind.toLowerCase()}_${version}.json`;
}

/** What is wrong with an object, a line each. */
function faults(object: Any): string[] {
  const path = schemaPath(object);
  if (!exists(`${SCHEMAS}/${path}`)) return [`no schema at ${SCHEMAS}/${path}`];
  let validate = compiled.get(path);
  if (!validate) compiled.set(path, (validate = ajv.compile(JSON.parse(read(`${SCHEMAS}/${path}`)) as object)));
  return validate(object)
    ? []
    : validate.errors!.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

describe("every manifest is valid", () => {
  it.each(TREE.map((one) => [`${one.file} ${one.kind} ${one.name}`, one.object] as const))("%s", (_name, object) => {
    expect(faults(substituted(object))).toEqual([]);
  });
});

it("a misspelt key, a wrong type and an unknown kind are found", () => {
  const [pool] = documentsOf("kubernetes/apps/kube-system/cilium/config/ciliumloadbalancerippool.yaml");
  const blocks = pool!.object.spec.blocks;
  expect(faults({ ...pool!.object, spec: { blocks, disable: true } })).toEqual([
    '/spec must NOT have additional properties {"additionalProperty":"disable"}',
  ]);
  expect(faults({ ...pool!.object, spec: { blocks: "192.168.123.101" } })).toEqual(['/spec/blocks must be array {"type":"array"}']);
  expect(faults({ apiVersion: "example.com/v1", kind: "Thing" })).toEqual([
    `no schema at ${SCHEMAS}/kubernetes/${KUBERNETES}/thing_example.com_v1.json`,
  ]);
});

describe("what is patched in by Flux is valid where it lands", () => {
  const root = documentsOf("kubernetes/flux/cluster/ks.yaml")[0]!.object;
  const child = parse(root.spec.patches[0].patch) as Any;
  const release = parse(child.spec.patches[0].patch) as Any;

  it("the defaults of a Kustomization", () => {
    const one = TREE.find(({ name, kind }) => name === "coredns" && kind === "Kustomization")!.object;
    expect(faults({ ...one, spec: { ...one.spec, ...child.spec } })).toEqual([]);
  });
  it("the settings: names in capitals, text every one", () => {
    const settings = parse(root.spec.patches[1].patch) as Any;
    const one = TREE.find(({ name, kind }) => name === "coredns" && kind === "Kustomization")!.object;
    expect(faults({ ...one, spec: { ...one.spec, ...settings.spec } })).toEqual([]);
    for (const [name, value] of Object.entries(settings.spec.postBuild.substitute as object))
      expect([name, value]).toEqual([expect.stringMatching(/^[A-Z][A-Z0-9_]*$/), expect.stringMatching(/./)]);
  });
  it("the defaults of a HelmRelease", () => {
    const one = TREE.find(({ name, kind }) => name === "coredns" && kind === "HelmRelease")!.object;
    expect(faults({ ...one, spec: { ...one.spec, ...release.spec } })).toEqual([]);
  });
  it("a failed install is retried, never rolled back to what is not there", () => {
    expect(release.spec.install.strategy).toEqual({ name: "RetryOnFailure", retryInterval: "2m" });
    expect(release.spec.upgrade.strategy).toEqual({ name: "RetryOnFailure", retryInterval: "2m" });
    expect(release.spec.install.remediation ?? release.spec.upgrade.remediation).toBeUndefined();
  });
});

it("the FluxInstance that the chart makes of its values is valid", () => {
  const { instance } = documentsOf("kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml")[0]!.object.spec.values;
  const distribution = { registry: "ghcr.io/fluxcd", version: "2.x" }; // the chart's own
  expect(
    faults({
      apiVersion: "fluxcd.controlplane.io/v1",
      kind: "FluxInstance",
      metadata: { name: "flux" },
      spec: { distribution, ...instance },
    }),
  ).toEqual([]);
  for (const { patch } of instance.kustomize.patches) expect(parse(patch)).toBeTruthy();
});

it("every document begins with --- and names its schema for editors", () => {
  for (const file of FILES) {
    const documents = read(file).split(/^---\n/m);
    expect(documents.shift(), file).toBe("");
    const wanted = documentsOf(file).map((one) => `# yaml-language-server: $schema=${HOST}/${editorPath(one)}`);
    expect(
      documents.map((text) => text.split("\n", 1)[0]),
      file,
    ).toEqual(wanted);
  }
});
