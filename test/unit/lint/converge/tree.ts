// Small trees for the simulation, as the reader would hand them over: a root that applies Kustomizations, what those apply, a bootstrap.
import type { BootstrapRelease, FluxKustomization, KubeObject, Located, Tree } from "../../../../scripts/lib/tree/types.ts";
import type { ChartFacts } from "../../../../scripts/lib/lint/converge/chart-keys.ts";
import { converge } from "../../../../scripts/lib/lint/converge/converge.ts";
import type { SimulationInput } from "../../../../scripts/lib/lint/converge/world.ts";

/** A manifest in a line: `object("v1 Secret network/tls", { spec })`. */
export function object(what: string, rest: Record<string, unknown> = {}): KubeObject {
  const [apiVersion = "", kind = "", name = ""] = what.split(" ");
  const [namespace, own] = name.includes("/") ? name.split("/") : [undefined, name];
  const { metadata, ...others } = rest;
  return { apiVersion, kind, metadata: { name: own!, ...(namespace && { namespace }), ...(metadata as object) }, ...others };
}

/** A Kustomization with what it applies; its file is named after it, and each object's after the object. */
export const kustomization = (id: string, spec: Record<string, unknown>, ...objects: KubeObject[]): FluxKustomization => {
  const [namespace = "", name = ""] = id.split("/");
  const located = objects.map((one): Located => ({ object: one, source: { file: `${id}/${one.kind.toLowerCase()}.yaml`, line: 1 } }));
  return {
    namespace,
    name,
    spec: {
      interval: "1h",
      retryInterval: "2m",
      timeout: "10m",
      sourceRef: { kind: "GitRepository", name: "flux-system", namespace: "flux-system" },
      ...spec,
    },
    source: { file: `${id}/ks.yaml`, line: 1 },
    objects: located,
    built: located,
    parent: "flux-system/cluster-apps",
  };
};

/** A HelmRelease of a chart, with the OCIRepository that it comes from. */
export function release(id: string, chart: string, spec: Record<string, unknown> = {}): KubeObject[] {
  const name = id.split("/")[1];
  return [
    object(`source.toolkit.fluxcd.io/v1 OCIRepository ${id}`, { spec: { url: `oci://registry.example/charts/${chart}` } }),
    object(`helm.toolkit.fluxcd.io/v2 HelmRelease ${id}`, {
      spec: { chartRef: { kind: "OCIRepository", name }, install: RETRY, upgrade: RETRY, ...spec },
    }),
  ];
}

export const RETRY = { strategy: { name: "RetryOnFailure", retryInterval: "2m" } };

/** Namespaces, as the bootstrap makes them. */
export const namespaces = (...names: string[]) => names.map((name) => object(`v1 Namespace ${name}`));

interface Start {
  objects?: KubeObject[];
  releases?: Record<string, string>;
  crds?: Record<string, string>;
}

/** A tree with a root that applies the Kustomizations. */
export function tree(start: Start, ...kustomizations: FluxKustomization[]): Tree {
  const located = (one: KubeObject): Located => ({ object: one, source: { file: "bootstrap/resources.yaml", line: 1 } });
  const bootstrapped = (releases: Record<string, string> = {}) =>
    Object.entries(releases).map(([id, chart]): BootstrapRelease => {
      const [namespace = "", name = ""] = id.split("/");
      return {
        namespace,
        name,
        chart: `oci://registry.example/charts/${chart}`,
        needs: [],
        source: { file: "bootstrap/helmfile.yaml", line: 1 },
      };
    });
  const root: FluxKustomization = {
    ...kustomization(
      "flux-system/cluster-apps",
      {},
      ...kustomizations.map(({ namespace, name, spec }) =>
        object(`kustomize.toolkit.fluxcd.io/v1 Kustomization ${namespace}/${name}`, { spec }),
      ),
    ),
    parent: undefined,
  };
  return {
    base: "/tree",
    root: "kubernetes",
    bootstrapRoot: "/tree/bootstrap",
    kustomizations: [root, ...kustomizations],
    bootstrap: {
      objects: (start.objects ?? []).map(located),
      releases: bootstrapped(start.releases),
      crdCharts: bootstrapped(start.crds),
    },
    findings: [],
    used: new Set(),
  };
}

const kinds = (...groups: string[]) => Object.fromEntries(groups.map((group) => [group, ["*"]]));
const SERVICE_MONITOR = { group: "monitoring.coreos.com", kind: "ServiceMonitor" };

const FACTS: Record<string, ChartFacts> = {
  "app-template": { workloads: "values" },
  "cert-manager": { crds: kinds("cert-manager.io"), controls: ["cert-manager.io"], webhooks: ["cert-manager.io"] },
  "external-secrets": { crds: kinds("external-secrets.io"), controls: ["external-secrets.io"], webhooks: ["external-secrets.io"] },
  connect: { usesSecrets: [{ path: "connect.credentialsName" }], services: ["onepassword-connect"] },
  "envoy-gateway": { crds: kinds("gateway.networking.k8s.io", "gateway.envoyproxy.io"), controls: ["gateway.envoyproxy.io"] },
  "external-dns": { crds: kinds("externaldns.k8s.io"), controls: ["externaldns.k8s.io"] },
  cilium: { laterCrds: kinds("cilium.io") },
  "monitoring-crds": { crds: kinds("monitoring.coreos.com") },
  "rook-ceph": { crds: kinds("ceph.rook.io"), controls: ["ceph.rook.io"], needs: [{ ...SERVICE_MONITOR, when: "monitoring.enabled" }] },
  "rook-ceph-cluster": {
    needs: [{ group: "ceph.rook.io", kind: "CephCluster" }],
    storageClasses: [{ path: "cephBlockPools[].storageClass.name" }],
    takes: 600,
  },
  volsync: { crds: kinds("volsync.backube"), controls: ["volsync.backube"] },
  openebs: { storageClasses: ["openebs-hostpath"] },
  "kube-prometheus-stack": { crds: kinds("monitoring.coreos.com"), needs: [SERVICE_MONITOR] },
};

/** Charts of the test trees: few, and with what the real ones have. */
export const CHARTS = Object.fromEntries(Object.entries(FACTS).map(([name, facts]) => [`oci://registry.example/charts/${name}`, facts]));

/** Runs a tree; findings as `level rule file: message`. */
export function outcome(of: Tree, facts: Partial<SimulationInput> = {}) {
  const result = converge(of, { charts: CHARTS, ...facts });
  return { ...result, lines: result.findings.map(({ level, rule, file, message }) => `${level} ${rule} ${file}: ${message}`) };
}
