// A home that comes up, and the same home with one thing taken away: always one error, which names it.
import { describe, expect, it } from "vitest";
import type { Located, Tree } from "../../../../scripts/lib/tree/types.ts";
import { application, home } from "./home.ts";
import { outcome } from "./tree.ts";

const errors = (of: Tree) => outcome(of).findings.filter(({ level }) => level === "error");
const POPULATED =
  "note populated-volumes apps/actual/helmrelease.yaml: HelmRelease apps/actual and 1 other release wait for volumes that are filled from a backup first";
const two = () => home(application("actual"), application("atuin"));

it("comes up: no error, and the restores as a note", () => {
  expect(outcome(two()).lines).toEqual([POPULATED]);
});

/** The tree without some objects, wherever they stand. */
function without(of: Tree, drop: (located: Located) => boolean): Tree {
  const kept = (objects: Located[]) => objects.filter((one) => !drop(one));
  return {
    ...of,
    bootstrap: { ...of.bootstrap, objects: kept(of.bootstrap.objects) },
    kustomizations: of.kustomizations.map((one) => ({ ...one, built: kept(one.built), objects: kept(one.objects) })),
  };
}

const named =
  (kind: string, name: string) =>
  ({ object }: Located) =>
    object.kind === kind && object.metadata.name === name;

/** The tree without a chart, of the bootstrap or of a release. */
const withoutBootstrap = (of: Tree, id: string): Tree => {
  const kept = <T extends { namespace: string; name: string }>(releases: T[]) =>
    releases.filter(({ namespace, name }) => `${namespace}/${name}` !== id);
  return { ...of, bootstrap: { ...of.bootstrap, releases: kept(of.bootstrap.releases), crdCharts: kept(of.bootstrap.crdCharts) } };
};

describe("with one thing taken away there is one error, however much waits for it:", () => {
  it.each([
    [
      "Namespace",
      "network",
      "nothing provides Namespace network: Kustomization flux-system/cluster-apps applies Kustomization network/envoy-gateway, which needs it, and 3 others wait for it",
    ],
    [
      "Namespace",
      "apps",
      "nothing provides Namespace apps: Kustomization flux-system/cluster-apps applies Kustomization apps/actual, which needs it, and 4 others wait for it",
    ],
    [
      "Secret",
      "onepassword-secret",
      "nothing provides Secret external-secrets/onepassword-secret: HelmRelease external-secrets/onepassword-connect has Pods that use it, and 1 other waits for it",
    ],
    [
      "ClusterSecretStore",
      "onepassword",
      "nothing provides ClusterSecretStore onepassword: ExternalSecret cert-manager/cloudflare asks it, and 4 others wait for it",
    ],
    ["ClusterIssuer", "production", "nothing provides ClusterIssuer production: Certificate network/wildcard is signed by it"],
    ["GatewayClass", "envoy", "nothing provides GatewayClass envoy: Gateway network/internal is of it"],
    ["Gateway", "internal", "nothing provides Gateway network/internal: HTTPRoute apps/actual hangs on it, and 1 other waits for it"],
    ["Certificate", "wildcard", "nothing provides Secret network/wildcard-tls: Gateway network/internal shows it as its certificate"],
    [
      "ExternalSecret",
      "actual-secret",
      "nothing provides Secret apps/actual-secret: HelmRelease apps/actual has Pods that take their environment from it",
    ],
    [
      "ExternalSecret",
      "cloudflare",
      "nothing provides Secret cert-manager/cloudflare: Certificate network/wildcard proves its names with it",
    ],
    [
      "ReplicationDestination",
      "actual-dst",
      "nothing provides ReplicationDestination apps/actual-dst: PersistentVolumeClaim apps/actual is filled by it",
    ],
    [
      "OCIRepository",
      "rook-ceph",
      "nothing provides OCIRepository rook-ceph/rook-ceph: HelmRelease rook-ceph/rook-ceph takes its chart from it",
    ],
    ["PersistentVolumeClaim", "atuin", "nothing provides PersistentVolumeClaim apps/atuin: HelmRelease apps/atuin has Pods that mount it"],
  ])("%s %s", (kind, name, message) => {
    expect(errors(without(two(), named(kind, name))).map(({ message }) => message)).toEqual([message]);
  });

  it.each([
    [
      "observability/crds",
      "nothing provides the kind ServiceMonitor (monitoring.coreos.com): HelmRelease rook-ceph/rook-ceph has objects in its chart that need it, and 2 others wait for it",
    ],
    [
      "cert-manager/cert-manager",
      "nothing provides the kinds ClusterIssuer, Certificate (cert-manager.io): Kustomization cert-manager/issuers applies ClusterIssuer production, which needs it, and 3 others wait for it",
    ],
    [
      "external-secrets/external-secrets",
      "nothing provides the kinds ClusterSecretStore, ExternalSecret (external-secrets.io): Kustomization external-secrets/stores applies ClusterSecretStore onepassword, which needs it, and 9 others wait for it",
    ],
  ])("chart %s of the bootstrap", (id, message) => {
    expect(errors(withoutBootstrap(two(), id)).map(({ message }) => message)).toEqual([message]);
  });

  it.each([
    [
      "external-secrets/connect",
      "nothing provides a Pod behind Service external-secrets/onepassword-connect: ClusterSecretStore onepassword asks it",
    ],
    ["network/envoy-gateway", "nothing provides a controller for gateway.envoyproxy.io: GatewayClass envoy is worked on by it"],
    [
      "openebs/openebs",
      "nothing provides StorageClass openebs-hostpath: ReplicationDestination apps/actual-dst has volumes of it, and 1 other waits for it",
    ],
    ["rook-ceph/rook-ceph", "nothing provides Kustomization rook-ceph/rook-ceph: Kustomization rook-ceph/cluster dependsOn it"],
    ["rook-ceph/cluster", "nothing provides StorageClass ceph-block: PersistentVolumeClaim apps/actual is of it, and 3 others wait for it"],
    [
      "volsync/volsync",
      "nothing provides a controller for volsync.backube: ReplicationDestination apps/actual-dst is worked on by it, and 1 other waits for it",
    ],
  ])("Kustomization %s", (id, message) => {
    const [namespace, name] = id.split("/");
    const gone = without(
      two(),
      ({ object }) => object.kind === "Kustomization" && object.metadata.name === name && object.metadata.namespace === namespace,
    );
    const kustomizations = gone.kustomizations.filter((one) => `${one.namespace}/${one.name}` !== id);
    expect(errors({ ...gone, kustomizations }).map(({ message }) => message)).toEqual([message]);
  });
});

it("definitions that only a release of the tree brings come too late: one note for all who try before", () => {
  const { lines } = outcome(withoutBootstrap(two(), "volsync/volsync"));
  expect(lines).toEqual([
    "note ready-after-retry apps/actual/replicationdestination.yaml: Kustomization apps/actual and 1 other may be tried before the kind ReplicationDestination (volsync.backube) is available (HelmRelease volsync/volsync provides it)",
    POPULATED,
  ]);
});
