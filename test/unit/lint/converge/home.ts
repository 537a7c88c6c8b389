// A home that comes up: bootstrap, secrets, certificates, gateway, storage, backup, two applications. Its tests take one thing away at a time.
import type { FluxKustomization, Tree } from "../../../../scripts/lib/tree/types.ts";
import { kustomization, namespaces, object, release, tree } from "./tree.ts";

const store = object("external-secrets.io/v1 ClusterSecretStore onepassword", {
  spec: {
    provider: {
      onepassword: {
        connectHost: "http://onepassword-connect.external-secrets.svc.cluster.local:80",
        auth: { secretRef: { connectTokenSecretRef: { name: "onepassword-secret", namespace: "external-secrets", key: "token" } } },
      },
    },
  },
});

/** An ExternalSecret of the home's store; the Secret has its name. */
export const externalSecret = (id: string, item: string, spec: Record<string, unknown> = {}) =>
  object(`external-secrets.io/v1 ExternalSecret ${id}`, {
    spec: { secretStoreRef: { kind: "ClusterSecretStore", name: "onepassword" }, dataFrom: [{ extract: { key: item } }], ...spec },
  });

const ceph = { values: { cephBlockPools: [{ storageClass: { name: "ceph-block" } }], monitoring: { enabled: true } } };

/** An application with a volume that is filled from its backup, a Secret and a route. */
export const application = (name: string): FluxKustomization =>
  kustomization(
    `apps/${name}`,
    {},
    externalSecret(`apps/${name}-secret`, name),
    externalSecret(`apps/${name}-volsync`, "volsync-template"),
    object(`v1 PersistentVolumeClaim apps/${name}`, {
      spec: {
        storageClassName: "ceph-block",
        dataSourceRef: { apiGroup: "volsync.backube", kind: "ReplicationDestination", name: `${name}-dst` },
      },
    }),
    object(`volsync.backube/v1alpha1 ReplicationDestination apps/${name}-dst`, {
      spec: { kopia: { repository: `${name}-volsync`, storageClassName: "ceph-block", cacheStorageClassName: "openebs-hostpath" } },
    }),
    object(`gateway.networking.k8s.io/v1 HTTPRoute apps/${name}`, {
      spec: { parentRefs: [{ name: "internal", namespace: "network" }], hostnames: [`${name}.example.com`] },
    }),
    object(`monitoring.coreos.com/v1 ServiceMonitor apps/${name}`),
    ...release(`apps/${name}`, "app-template", {
      values: {
        controllers: { app: { containers: { app: { envFrom: [{ secretRef: { name: "{{ .Release.Name }}-secret" } }] } } } },
        persistence: { config: { existingClaim: "{{ .Release.Name }}" } },
      },
    }),
  );

const NAMESPACES = ["apps", "cert-manager", "external-secrets", "flux-system", "network", "openebs", "rook-ceph", "volsync"];

/** The whole home, with as many applications as asked for. */
export function home(...applications: FluxKustomization[]): Tree {
  return tree(
    {
      objects: [...namespaces(...NAMESPACES), object("v1 Secret external-secrets/onepassword-secret")],
      releases: { "cert-manager/cert-manager": "cert-manager", "external-secrets/external-secrets": "external-secrets" },
      crds: {
        "network/envoy-gateway": "envoy-gateway",
        "observability/crds": "monitoring-crds",
        "volsync/volsync": "volsync",
      },
    },
    kustomization(
      "external-secrets/connect",
      {},
      ...release("external-secrets/onepassword-connect", "connect", { values: { connect: { credentialsName: "onepassword-secret" } } }),
    ),
    kustomization("external-secrets/stores", {}, store),
    kustomization(
      "cert-manager/issuers",
      {},
      externalSecret("cert-manager/cloudflare", "cloudflare"),
      object("cert-manager.io/v1 ClusterIssuer production", {
        spec: { acme: { solvers: [{ dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare", key: "token" } } } }] } },
      }),
    ),
    kustomization("network/envoy-gateway", {}, ...release("network/envoy-gateway", "envoy-gateway")),
    kustomization(
      "network/gateways",
      {},
      object("cert-manager.io/v1 Certificate network/wildcard", {
        spec: { secretName: "wildcard-tls", issuerRef: { kind: "ClusterIssuer", name: "production" } },
      }),
      object("gateway.networking.k8s.io/v1 GatewayClass envoy", {
        spec: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
      }),
      object("gateway.networking.k8s.io/v1 Gateway network/internal", {
        spec: { gatewayClassName: "envoy", listeners: [{ tls: { certificateRefs: [{ name: "wildcard-tls" }] } }] },
      }),
    ),
    kustomization("openebs/openebs", {}, ...release("openebs/openebs", "openebs")),
    kustomization("volsync/volsync", {}, ...release("volsync/volsync", "volsync")),
    kustomization(
      "rook-ceph/rook-ceph",
      { wait: true },
      ...release("rook-ceph/rook-ceph", "rook-ceph", { values: { monitoring: { enabled: true } } }),
    ),
    kustomization(
      "rook-ceph/cluster",
      { dependsOn: [{ name: "rook-ceph" }] },
      ...release("rook-ceph/rook-ceph-cluster", "rook-ceph-cluster", ceph),
    ),
    ...applications,
  );
}
