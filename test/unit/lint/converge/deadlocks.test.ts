// The ten known ways in which a home's tree never comes up from nothing: each is found, once, where it can be mended.
import { describe, expect, it } from "vitest";
import { kustomization, namespaces, object, outcome, release, tree } from "./tree.ts";

const STORE = object("external-secrets.io/v1 ClusterSecretStore onepassword", {
  spec: {
    provider: {
      onepassword: {
        connectHost: "http://192.168.123.150:8080",
        auth: { secretRef: { connectTokenSecretRef: { name: "onepassword-secret", namespace: "external-secrets", key: "token" } } },
      },
    },
  },
});
const externalSecret = (id: string, item: string, spec: Record<string, unknown> = {}) =>
  object(`external-secrets.io/v1 ExternalSecret ${id}`, {
    spec: { secretStoreRef: { kind: "ClusterSecretStore", name: "onepassword" }, dataFrom: [{ extract: { key: item } }], ...spec },
  });
const START = {
  objects: [
    ...namespaces("external-secrets", "flux-system", "network", "cert-manager", "rook-ceph", "apps", "openebs", "volsync"),
    object("v1 Secret external-secrets/onepassword-secret"),
  ],
  releases: { "external-secrets/external-secrets": "external-secrets", "cert-manager/cert-manager": "cert-manager" },
};

describe("1: every Kustomization substitutes from a Secret that the tree makes", () => {
  const from = { postBuild: { substituteFrom: [{ kind: "Secret", name: "cluster-config-secret" }] } };
  const stores = kustomization("flux-system/stores", from, STORE, externalSecret("flux-system/cluster-config-secret", "cluster-config"));
  const echo = kustomization("flux-system/echo", from, ...release("apps/echo", "app-template"));

  it("is one finding, however many wait", () => {
    const { lines, findings } = outcome(tree(START, stores, echo));
    expect(lines).toEqual([
      "error substitutes-what-it-feeds flux-system/stores/ks.yaml: Kustomization flux-system/stores substitutes from Secret flux-system/cluster-config-secret, which cannot be before it, and 1 other waits for it",
    ]);
    expect(findings[0]!.why).toBe(
      "Kustomization flux-system/stores substitutes from Secret flux-system/cluster-config-secret; ExternalSecret flux-system/cluster-config-secret can begin only once Kustomization flux-system/stores has applied it",
    );
  });

  it("is none when the bootstrap makes it", () => {
    const made = { ...START, objects: [...START.objects, object("v1 Secret flux-system/cluster-config-secret")] };
    expect(outcome(tree(made, stores, echo)).lines).toEqual([]);
  });
});

const ISSUER = object("cert-manager.io/v1 ClusterIssuer letsencrypt", { spec: { acme: {} } });
const IMPORT = externalSecret("network/wildcard-tls", "wildcard-tls");
const EXPORTED = [
  object("cert-manager.io/v1 Certificate network/wildcard", {
    spec: { secretName: "wildcard-tls", issuerRef: { kind: "ClusterIssuer", name: "letsencrypt" } },
  }),
  object("external-secrets.io/v1alpha1 PushSecret network/wildcard-tls", {
    spec: {
      secretStoreRefs: [{ kind: "ClusterSecretStore", name: "onepassword" }],
      selector: { secret: { name: "wildcard-tls" } },
      data: [{ match: { secretKey: "tls.crt", remoteRef: { remoteKey: "wildcard-tls", property: "tls.crt" } } }],
    },
  }),
];

describe("2: a certificate's export depends on its import, which reads what the export writes", () => {
  const base = kustomization("flux-system/base", {}, STORE, ISSUER);
  const imported = kustomization("network/certificates-import", { wait: true }, IMPORT);

  it("is found at the dependency", () => {
    const exported = kustomization("network/certificates-export", { dependsOn: [{ name: "certificates-import" }] }, ...EXPORTED);
    const { lines, findings } = outcome(tree(START, base, imported, exported));
    expect(lines).toEqual([
      "error dependency-circle network/certificates-export/ks.yaml: Kustomization network/certificates-export dependsOn Kustomization network/certificates-import, which cannot be before it",
    ]);
    expect(findings[0]!.why).toBe(
      "Kustomization network/certificates-export dependsOn Kustomization network/certificates-import; Kustomization network/certificates-import waits for all it applies: ExternalSecret network/wildcard-tls; ExternalSecret network/wildcard-tls reads item wildcard-tls of the password store; PushSecret network/wildcard-tls can begin only once Kustomization network/certificates-export has applied it",
    );
  });

  it("is none without it: whichever comes first makes the Secret", () => {
    const exported = kustomization("network/certificates-export", {}, ...EXPORTED);
    expect(outcome(tree(START, base, imported, exported)).lines).toEqual([
      "note needless-wait network/certificates-import/ks.yaml: nothing waits for Kustomization network/certificates-import, which waits for all it applies",
    ]);
  });

  it("is none where only the first try counts, whichever way it ends: and the order is not needless, since both make the Secret", () => {
    const check = { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret" };
    const tried = (current: string) =>
      kustomization(
        "network/certificates-import",
        { healthChecks: [{ ...check, name: "wildcard-tls", namespace: "network" }], healthCheckExprs: [{ ...check, current }] },
        IMPORT,
      );
    const exported = kustomization("network/certificates-export", { dependsOn: [{ name: "certificates-import" }] }, ...EXPORTED);
    expect(outcome(tree(START, base, tried("status.conditions.exists(e, e.type == 'Ready')"), exported)).lines).toEqual([]);
    const ready = "status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')";
    expect(outcome(tree(START, base, tried(ready), exported)).findings.map(({ rule }) => rule)).toEqual(["dependency-circle"]);
  });

  it("3: Envoy that depends on the import is no finding of its own", () => {
    const exported = kustomization("network/certificates-export", { dependsOn: [{ name: "certificates-import" }] }, ...EXPORTED);
    const envoy = kustomization(
      "network/envoy-gateway",
      { dependsOn: [{ name: "certificates-import" }] },
      ...release("network/envoy-gateway", "envoy-gateway"),
    );
    expect(outcome(tree(START, base, imported, exported, envoy)).lines).toEqual([
      "error dependency-circle network/certificates-export/ks.yaml: Kustomization network/certificates-export dependsOn Kustomization network/certificates-import, which cannot be before it, and 1 other waits for it",
      "note needless-depends-on network/envoy-gateway/ks.yaml: Kustomization network/envoy-gateway dependsOn Kustomization network/certificates-import and applies nothing that would fail without it",
    ]);
  });
});

it("4: a custom resource beside the release that brings its kind: the server refuses the set, so the release is never applied", () => {
  const { lines, findings } = outcome(
    tree(
      { ...START, releases: {} },
      kustomization("cert-manager/cert-manager", {}, ...release("cert-manager/cert-manager", "cert-manager"), ISSUER),
    ),
  );
  expect(lines).toEqual([
    "error custom-resource-beside-its-release cert-manager/cert-manager/clusterissuer.yaml: Kustomization cert-manager/cert-manager applies ClusterIssuer letsencrypt, which needs the kind ClusterIssuer (cert-manager.io), which cannot be before it",
  ]);
  expect(findings[0]!.why).toBe(
    "Kustomization cert-manager/cert-manager applies ClusterIssuer letsencrypt, which needs the kind ClusterIssuer (cert-manager.io); HelmRelease cert-manager/cert-manager can begin only once Kustomization cert-manager/cert-manager has applied it",
  );
});

it("5: storage that waits for backup is slow, not stuck", () => {
  const cluster = {
    values: { cephBlockPools: [{ storageClass: { name: "ceph-block" } }] },
  };
  expect(
    outcome(
      tree(
        { ...START, crds: { "observability/crds": "monitoring-crds" } },
        kustomization("openebs/openebs", { wait: true }, ...release("openebs/openebs", "openebs")),
        kustomization(
          "volsync/volsync",
          { wait: true, dependsOn: [{ name: "openebs", namespace: "openebs" }] },
          ...release("volsync/volsync", "volsync"),
        ),
        kustomization("rook-ceph/rook-ceph", { wait: true }, ...release("rook-ceph/rook-ceph", "rook-ceph")),
        kustomization(
          "rook-ceph/rook-ceph-cluster",
          { dependsOn: [{ name: "rook-ceph" }, { name: "volsync", namespace: "volsync" }] },
          ...release("rook-ceph/rook-ceph-cluster", "rook-ceph-cluster", cluster),
        ),
      ),
    ).lines,
  ).toEqual([
    "note needless-depends-on volsync/volsync/ks.yaml: Kustomization volsync/volsync dependsOn Kustomization openebs/openebs and applies nothing that would fail without it",
    "note needless-depends-on rook-ceph/rook-ceph-cluster/ks.yaml: Kustomization rook-ceph/rook-ceph-cluster dependsOn Kustomization volsync/volsync and applies nothing that would fail without it",
  ]);
});

describe("6: the store's host name is published by the cluster itself", () => {
  const store = structuredClone(STORE);
  store.spec.provider.onepassword.connectHost = "https://passwords.example.com";
  const dns = kustomization(
    "network/external-dns",
    {},
    externalSecret("network/cloudflare", "cloudflare"),
    ...release("network/external-dns", "external-dns", {
      values: { env: [{ valueFrom: { secretKeyRef: { name: "cloudflare", key: "token" } } }] },
    }),
  );
  const route = object("externaldns.k8s.io/v1alpha1 DNSEndpoint network/passwords", {
    spec: { endpoints: [{ dnsName: "passwords.example.com" }] },
  });
  const start = { ...START, crds: { "network/external-dns": "external-dns" } };

  it("is found at the store", () => {
    const { lines, findings } = outcome(tree(start, dns, kustomization("network/store", {}, store, route)));
    expect(lines).toEqual([
      "error store-behind-its-own-dns network/store/clustersecretstore.yaml: ClusterSecretStore onepassword asks the host name passwords.example.com, which cannot be before it",
    ]);
    expect(findings[0]!.why).toBe(
      "ClusterSecretStore onepassword asks the host name passwords.example.com; the record of passwords.example.com is made by a controller for externaldns.k8s.io; HelmRelease network/external-dns has Pods that take their environment from Secret network/cloudflare; ExternalSecret network/cloudflare asks ClusterSecretStore onepassword",
    );
  });
});

it("6: a name of the home's zone that nothing here publishes is not known", () => {
  const store = structuredClone(STORE);
  store.spec.provider.onepassword.connectHost = "https://passwords.example.com";
  const cluster = { domain: "example.com", endpoint: "192.168.120.100", gateways: { from: "192.168.123.101", to: "192.168.123.149" } };
  expect(outcome(tree(START, kustomization("network/store", {}, store)), { cluster }).lines).toEqual([
    "unknown store-host network/store/clustersecretstore.yaml: who answers for passwords.example.com is not known: it is a name of example.com, and nothing in this tree publishes it",
  ]);
  expect(outcome(tree(START, kustomization("network/store", {}, STORE)), { cluster }).lines).toEqual([]);
});

describe("7: the API server is reached at an address that Cilium hands out", () => {
  const cluster = { domain: "example.com", endpoint: "192.168.123.120", gateways: { from: "192.168.123.101", to: "192.168.123.149" } };
  const POOL = "kube-system/cilium-config/ciliumloadbalancerippool.yaml";
  const pool = (block: object) => object("cilium.io/v2 CiliumLoadBalancerIPPool home", { spec: { blocks: [block] } });
  const start = { ...START, releases: { ...START.releases, "kube-system/cilium": "cilium" } };
  const found = (...objects: Parameters<typeof kustomization>[2][]) =>
    outcome(tree(start, kustomization("kube-system/cilium-config", {}, ...objects)), { cluster }).lines;

  it("a pool that holds the endpoint, as a range or as a whole network", () => {
    expect(found(pool({ start: "192.168.123.101", stop: "192.168.123.149" }))).toEqual([
      `error endpoint-needs-the-cluster ${POOL}: the pool holds 192.168.123.120, the API server's own address (talos/cluster.yaml)`,
    ]);
    expect(found(pool({ cidr: "192.168.120.0/22" }))).toEqual([
      `error endpoint-needs-the-cluster ${POOL}: the pool holds 192.168.123.120, the API server's own address (talos/cluster.yaml)`,
    ]);
    expect(found(pool({ start: "192.168.123.121", stop: "192.168.123.149" }))).toEqual([]);
  });

  it("a Service that asks for it", () => {
    const service = object("v1 Service kube-system/kube-api", { metadata: { annotations: { "lbipam.cilium.io/ips": "192.168.123.120" } } });
    expect(found(service)).toEqual([
      "error endpoint-needs-the-cluster kube-system/cilium-config/service.yaml: it asks Cilium for 192.168.123.120, the API server's own address (talos/cluster.yaml)",
    ]);
  });

  it("Cilium that looks for the API server behind itself", () => {
    const behind = (host: string) => release("kube-system/cilium", "cilium", { values: { k8sServiceHost: host } });
    expect(found(pool({ start: "192.168.123.130" }), ...behind("192.168.123.130"))).toEqual([
      "error endpoint-needs-the-cluster kube-system/cilium-config/helmrelease.yaml: Cilium looks for the API server at 192.168.123.130, an address that it hands out itself",
    ]);
    expect(found(pool({ start: "192.168.123.130" }), ...behind("127.0.0.1"))).toEqual([]);
  });
});

it("8: a dependency in another namespace, without the namespace", () => {
  const { lines, findings } = outcome(
    tree(START, kustomization("network/dns", {}), kustomization("apps/echo", { dependsOn: [{ name: "dns" }] })),
  );
  expect(lines).toEqual([
    "error kustomization-missing apps/echo/ks.yaml: nothing provides Kustomization apps/dns: Kustomization apps/echo dependsOn it",
  ]);
  expect(findings[0]).toMatchObject({
    why: "it is looked for in namespace apps, where it is not: Kustomization apps/echo never becomes ready",
    fix: "write namespace: network",
  });
});

it("9: objects of a kind that nobody brings: one finding for forty Kustomizations", () => {
  const monitored = (index: number) =>
    kustomization(`apps/app-${index}`, {}, object(`monitoring.coreos.com/v1 ServiceMonitor apps/app-${index}`));
  expect(outcome(tree(START, ...Array.from({ length: 40 }, (_, index) => monitored(index)))).lines).toEqual([
    "error crd-missing apps/app-0/servicemonitor.yaml: nothing provides the kind ServiceMonitor (monitoring.coreos.com): Kustomization apps/app-0 applies ServiceMonitor apps/app-0, which needs it, and 39 others wait for it",
  ]);
});

describe("10: a volume that is filled by somebody who is not there", () => {
  const claim = object("v1 PersistentVolumeClaim apps/echo", {
    spec: {
      storageClassName: "ceph-block",
      dataSourceRef: { apiGroup: "volsync.backube", kind: "ReplicationDestination", name: "echo-dst" },
    },
  });
  const destination = object("volsync.backube/v1alpha1 ReplicationDestination apps/echo-dst", {
    spec: { kopia: { repository: "echo-volsync" } },
  });
  const app = kustomization(
    "apps/echo",
    {},
    claim,
    destination,
    object("v1 Secret apps/echo-volsync"),
    object("storage.k8s.io/v1 StorageClass ceph-block"),
    ...release("apps/echo", "app-template", { values: { persistence: { config: { existingClaim: "{{ .Release.Name }}" } } } }),
  );

  it("without the definition nothing is applied", () => {
    expect(outcome(tree(START, app)).lines).toEqual([
      "error crd-missing apps/echo/replicationdestination.yaml: nothing provides the kind ReplicationDestination (volsync.backube): Kustomization apps/echo applies ReplicationDestination apps/echo-dst, which needs it, and 1 other waits for it",
    ]);
  });

  it("with the definition alone the volume stays empty for ever", () => {
    expect(outcome(tree({ ...START, crds: { "volsync/volsync": "volsync" } }, app)).lines).toEqual([
      "error controller-missing apps/echo/replicationdestination.yaml: nothing provides a controller for volsync.backube: ReplicationDestination apps/echo-dst is worked on by it",
    ]);
  });
});
