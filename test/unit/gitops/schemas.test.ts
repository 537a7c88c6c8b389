// What no manifest holds as it stands: defaults that are patched in, what a chart makes of values. lint:kubernetes checks every object that is applied.
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { openValidators } from "../../../scripts/lib/lint/schemas/validators.ts";
import type { KubeObject } from "../../../scripts/lib/tree/types.ts";
import { type Any, documentsOf, FILES, read, TREE } from "./tree.ts";

const KUBERNETES = parse(read("versions.env").replaceAll("=", ": ")).KUBERNETES_VERSION as string;
const HOST = "https://k8s-schemas.home-operations.com";

const validators = openValidators(KUBERNETES);

/** What is wrong with an object, a line each. */
const faults = (object: Any): string[] =>
  validators.faults(object as KubeObject)?.map(({ path, message }) => `${path.join(".")} ${message}`) ?? ["no schema"];

/** The same at the host that editors ask: cilium.io/ciliumloadbalancerippool_v2.json, core/namespace_v1.json. */
function editorPath({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const [version = "", group = "core"] = apiVersion.split("/").toReversed();
  return `${group}/${kind.toLowerCase()}_${version}.json`;
}

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

describe("the CephCluster that the chart makes of its values", () => {
  const { cephClusterSpec } = documentsOf("kubernetes/apps/rook-ceph/rook-ceph-cluster/app/helmrelease.yaml")[0]!.object.spec.values;
  const spec = { ...cephClusterSpec, dataDirHostPath: "/var/lib/rook" }; // the chart's own
  const withSpec = (more: object) =>
    faults({ apiVersion: "ceph.rook.io/v1", kind: "CephCluster", metadata: { name: "rook-ceph" }, spec: { ...spec, ...more } });

  it("is valid in Rook 1.20.6", () => expect(withSpec({})).toEqual([]));
  it("would not be with another key type or policy", () => {
    expect(withSpec({ security: { cephx: { csi: { keyType: "aes128" } } } })).not.toEqual([]);
    expect(withSpec({ healthCheck: { muteHealthWarning: { X: { policy: "hide" } } } })).not.toEqual([]);
  });
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
