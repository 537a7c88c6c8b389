// What the charts of the home bring into a cluster: definitions, workloads, and which definitions their operator makes by itself.
import type { KubeObject } from "./cluster-store.ts";

export interface Chart {
  /** Definitions that the chart holds. */
  crds: KubeObject[];
  /** Definitions that its operator makes once it runs. */
  madeByOperator: KubeObject[];
  /** `Deployment/cert-manager`. */
  workloads: string[];
}

/** `gateways Gateway v1,v1beta1` of a group; `!` after the kind: cluster-scoped. */
const group = (name: string, ...lines: string[]): KubeObject[] => lines.map((line) => definition(name, line));

function definition(group: string, line: string): KubeObject {
  const [plural = "", word = "", versions = ""] = line.split(" ");
  const kind = word.replace("!", "");
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: word.endsWith("!") ? "Cluster" : "Namespaced",
      versions: versions.split(",").map((name, at) => ({
        name,
        served: true,
        storage: at === 0,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      })),
    },
  };
}

const chart = (workloads: string[], crds: KubeObject[] = [], madeByOperator: KubeObject[] = []): Chart => ({
  workloads,
  crds,
  madeByOperator,
});

const GATEWAY = [
  ...group(
    "gateway.networking.k8s.io",
    "backendtlspolicies BackendTLSPolicy v1",
    "gatewayclasses GatewayClass! v1,v1beta1",
    "gateways Gateway v1,v1beta1",
    "grpcroutes GRPCRoute v1",
    "httproutes HTTPRoute v1,v1beta1",
    "listenersets ListenerSet v1",
    "referencegrants ReferenceGrant v1,v1beta1",
    "tcproutes TCPRoute v1alpha2",
    "tlsroutes TLSRoute v1,v1alpha2",
    "udproutes UDPRoute v1alpha2",
  ),
  ...group("gateway.networking.x-k8s.io", "xbackendtrafficpolicies XBackendTrafficPolicy v1alpha1", "xmeshes XMesh! v1alpha1"),
  ...group(
    "gateway.envoyproxy.io",
    "backends Backend v1alpha1",
    "backendtrafficpolicies BackendTrafficPolicy v1alpha1",
    "clienttrafficpolicies ClientTrafficPolicy v1alpha1",
    "envoyextensionpolicies EnvoyExtensionPolicy v1alpha1",
    "envoypatchpolicies EnvoyPatchPolicy v1alpha1",
    "envoyproxies EnvoyProxy v1alpha1",
    "httproutefilters HTTPRouteFilter v1alpha1",
    "securitypolicies SecurityPolicy v1alpha1",
  ),
];
const GRAFANA = group(
  "grafana.integreatly.org",
  ...[
    "AlertRuleGroup",
    "ContactPoint",
    "Dashboard",
    "Datasource",
    "Folder",
    "LibraryPanel",
    "Manifest",
    "MuteTiming",
    "NotificationPolicy",
    "NotificationPolicyRoute",
    "NotificationTemplate",
    "",
    "ServiceAccount",
  ].map((name) => `grafana${name.toLowerCase().replace(/y$/, "ie")}s Grafana${name} v1beta1`),
);
const KEDA = [
  ...group(
    "keda.sh",
    "clustertriggerauthentications ClusterTriggerAuthentication! v1alpha1",
    "scaledjobs ScaledJob v1alpha1",
    "scaledobjects ScaledObject v1alpha1",
    "triggerauthentications TriggerAuthentication v1alpha1",
  ),
  ...group("eventing.keda.sh", "cloudeventsources CloudEventSource v1alpha1", "clustercloudeventsources ClusterCloudEventSource! v1alpha1"),
];
const PROMETHEUS = group(
  "monitoring.coreos.com",
  "alertmanagerconfigs AlertmanagerConfig v1alpha1",
  "alertmanagers Alertmanager v1",
  "podmonitors PodMonitor v1",
  "probes Probe v1",
  "prometheusagents PrometheusAgent v1alpha1",
  "prometheuses Prometheus v1",
  "prometheusrules PrometheusRule v1",
  "scrapeconfigs ScrapeConfig v1alpha1",
  "servicemonitors ServiceMonitor v1",
  "thanosrulers ThanosRuler v1",
);
const SNAPSHOTS = [
  ...group(
    "snapshot.storage.k8s.io",
    "volumesnapshotclasses VolumeSnapshotClass! v1",
    "volumesnapshotcontents VolumeSnapshotContent! v1",
    "volumesnapshots VolumeSnapshot v1",
  ),
  ...group(
    "groupsnapshot.storage.k8s.io",
    "volumegroupsnapshotclasses VolumeGroupSnapshotClass! v1beta2",
    "volumegroupsnapshotcontents VolumeGroupSnapshotContent! v1beta2",
    "volumegroupsnapshots VolumeGroupSnapshot v1beta2",
  ),
];
const CILIUM = group(
  "cilium.io",
  "ciliumcidrgroups CiliumCIDRGroup! v2,v2alpha1",
  "ciliumclusterwidenetworkpolicies CiliumClusterwideNetworkPolicy! v2",
  "ciliumendpoints CiliumEndpoint v2",
  "ciliumidentities CiliumIdentity! v2",
  "ciliuml2announcementpolicies CiliumL2AnnouncementPolicy! v2alpha1",
  "ciliumloadbalancerippools CiliumLoadBalancerIPPool! v2,v2alpha1",
  "ciliumlocalredirectpolicies CiliumLocalRedirectPolicy v2",
  "ciliumnetworkpolicies CiliumNetworkPolicy v2",
  "ciliumnodeconfigs CiliumNodeConfig v2",
  "ciliumnodes CiliumNode! v2",
);
const CERT_MANAGER = [
  ...group(
    "cert-manager.io",
    "certificaterequests CertificateRequest v1",
    "certificates Certificate v1",
    "clusterissuers ClusterIssuer! v1",
    "issuers Issuer v1",
  ),
  ...group("acme.cert-manager.io", "challenges Challenge v1", "orders Order v1"),
];
const EXTERNAL_SECRETS = [
  ...group(
    "external-secrets.io",
    "clusterexternalsecrets ClusterExternalSecret! v1",
    "clusterpushsecrets ClusterPushSecret! v1alpha1",
    "clustersecretstores ClusterSecretStore! v1",
    "externalsecrets ExternalSecret v1",
    "pushsecrets PushSecret v1alpha1",
    "secretstores SecretStore v1",
  ),
  ...group(
    "generators.external-secrets.io",
    "clustergenerators ClusterGenerator! v1alpha1",
    "passwords Password v1alpha1",
    "uuids UUID v1alpha1",
    "webhooks Webhook v1alpha1",
  ),
];
const FLUX_OPERATOR = group(
  "fluxcd.controlplane.io",
  "fluxinstances FluxInstance v1",
  "fluxreports FluxReport v1",
  "resourcesetinputproviders ResourceSetInputProvider v1",
  "resourcesets ResourceSet v1",
);

/** The definitions of Flux itself, which its operator installs for a FluxInstance. */
export const FLUX: KubeObject[] = [
  ...group(
    "source.toolkit.fluxcd.io",
    "buckets Bucket v1",
    "externalartifacts ExternalArtifact v1",
    "gitrepositories GitRepository v1",
    "helmcharts HelmChart v1",
    "helmrepositories HelmRepository v1",
    "ocirepositories OCIRepository v1",
  ),
  ...group("kustomize.toolkit.fluxcd.io", "kustomizations Kustomization v1"),
  ...group("helm.toolkit.fluxcd.io", "helmreleases HelmRelease v2"),
  ...group("notification.toolkit.fluxcd.io", "alerts Alert v1beta3", "providers Provider v1beta3", "receivers Receiver v1"),
];

/** By the last word of the chart's address. */
const CHARTS: Record<string, Chart> = {
  "gateway-helm": chart(["Deployment/envoy-gateway"], GATEWAY),
  "external-dns": chart(["Deployment/external-dns"], group("externaldns.k8s.io", "dnsendpoints DNSEndpoint v1alpha1")),
  "grafana-operator": chart(["Deployment/grafana-operator"], GRAFANA),
  keda: chart(["Deployment/keda-operator"], KEDA),
  "prometheus-operator-crds": chart([], PROMETHEUS),
  "snapshot-controller": chart(["Deployment/snapshot-controller"], SNAPSHOTS),
  "volsync-perfectra1n": chart(
    ["Deployment/volsync"],
    group(
      "volsync.backube",
      "kopiamaintenances KopiaMaintenance v1alpha1",
      "replicationdestinations ReplicationDestination v1alpha1",
      "replicationsources ReplicationSource v1alpha1",
    ),
  ),
  cilium: chart(["DaemonSet/cilium", "Deployment/cilium-operator"], [], CILIUM),
  coredns: chart(["Deployment/coredns"]),
  spegel: chart(["DaemonSet/spegel"]),
  "cert-manager": chart(["Deployment/cert-manager", "Deployment/cert-manager-cainjector", "Deployment/cert-manager-webhook"], CERT_MANAGER),
  "external-secrets": chart(
    ["Deployment/external-secrets", "Deployment/external-secrets-cert-controller", "Deployment/external-secrets-webhook"],
    EXTERNAL_SECRETS,
  ),
  "flux-operator": chart(["Deployment/flux-operator"], FLUX_OPERATOR),
  "flux-instance": chart([]),
  connect: chart(["Deployment/onepassword-connect"]),
};

export const chartName = (url: string) => url.split("/").at(-1)!.split(":")[0]!;

/** A chart by its address; undefined for one that the home was not given. */
export const chartAt = (url: string): Chart | undefined => CHARTS[chartName(url)];

/** Whether these values ask for a ServiceMonitor, which the chart cannot make without its definition. */
export function wantsMonitor(values: unknown): boolean {
  if (values === null || typeof values !== "object") return false;
  return Object.entries(values).some(
    ([key, value]) => (/^(service)?monitor$/i.test(key) && (value?.enabled === true || value?.create === true)) || wantsMonitor(value),
  );
}
