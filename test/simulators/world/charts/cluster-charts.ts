// What the charts of the home bring into a cluster: definitions, workloads, and which definitions their operator makes by itself.
import { type Chart, chart, group, when } from "./cluster-chart.ts";
import { HOME } from "./cluster-charts-home.ts";
import type { KubeObject } from "../cluster/state.ts";

export type { Chart } from "./cluster-chart.ts";

const GATEWAY = [
  ...group(
    "gateway.networking.k8s.io",
    "backendtlspolicies BackendTLSPolicy v1 btlspolicy",
    "gatewayclasses GatewayClass! v1,v1beta1 gc",
    "gateways Gateway v1,v1beta1 gtw",
    "grpcroutes GRPCRoute v1",
    "httproutes HTTPRoute v1,v1beta1",
    "listenersets ListenerSet v1 lset",
    "referencegrants ReferenceGrant v1,v1beta1 refgrant",
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
    "clustertriggerauthentications ClusterTriggerAuthentication! v1alpha1 cta,clustertriggerauth",
    "scaledjobs ScaledJob v1alpha1 sj",
    "scaledobjects ScaledObject v1alpha1 so",
    "triggerauthentications TriggerAuthentication v1alpha1 ta,triggerauth",
  ),
  ...group("eventing.keda.sh", "cloudeventsources CloudEventSource v1alpha1", "clustercloudeventsources ClusterCloudEventSource! v1alpha1"),
];
const SNAPSHOTS = [
  ...group(
    "snapshot.storage.k8s.io",
    "volumesnapshotclasses VolumeSnapshotClass! v1 vsclass,vsclasses",
    "volumesnapshotcontents VolumeSnapshotContent! v1 vsc,vscs",
    "volumesnapshots VolumeSnapshot v1 vs",
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
  "ciliumclusterwidenetworkpolicies CiliumClusterwideNetworkPolicy! v2 ccnp",
  "ciliumendpoints CiliumEndpoint v2 cep,ciliumep",
  "ciliumidentities CiliumIdentity! v2 ciliumid",
  "ciliuml2announcementpolicies CiliumL2AnnouncementPolicy! v2alpha1 l2announcement",
  "ciliumloadbalancerippools CiliumLoadBalancerIPPool! v2,v2alpha1 ippools,ippool,lbippool,lbippools",
  "ciliumlocalredirectpolicies CiliumLocalRedirectPolicy v2 clrp",
  "ciliumnetworkpolicies CiliumNetworkPolicy v2 cnp,ciliumnp",
  "ciliumnodeconfigs CiliumNodeConfig v2",
  "ciliumnodes CiliumNode! v2 cn,ciliumn",
);
const CERT_MANAGER = [
  ...group(
    "cert-manager.io",
    "certificaterequests CertificateRequest v1 cr,crs",
    "certificates Certificate v1 cert,certs",
    "clusterissuers ClusterIssuer! v1",
    "issuers Issuer v1",
  ),
  ...group("acme.cert-manager.io", "challenges Challenge v1", "orders Order v1"),
];
const EXTERNAL_SECRETS = [
  ...group(
    "external-secrets.io",
    "clusterexternalsecrets ClusterExternalSecret! v1 ces",
    "clusterpushsecrets ClusterPushSecret! v1alpha1",
    "clustersecretstores ClusterSecretStore! v1 css",
    "externalsecrets ExternalSecret v1 es",
    "pushsecrets PushSecret v1alpha1 ps",
    "secretstores SecretStore v1 ss",
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
    "gitrepositories GitRepository v1 gitrepo",
    "helmcharts HelmChart v1 hc",
    "helmrepositories HelmRepository v1 helmrepo",
    "ocirepositories OCIRepository v1 ocirepo",
  ),
  ...group("kustomize.toolkit.fluxcd.io", "kustomizations Kustomization v1 ks"),
  ...group("helm.toolkit.fluxcd.io", "helmreleases HelmRelease v2 hr"),
  ...group("notification.toolkit.fluxcd.io", "alerts Alert v1beta3", "providers Provider v1beta3", "receivers Receiver v1"),
];

/** By the last word of the chart's address. */
const CHARTS: Record<string, Chart> = {
  "gateway-helm": chart(["Deployment/envoy-gateway"], GATEWAY),
  "external-dns": chart(["Deployment/*"], group("externaldns.k8s.io", "dnsendpoints DNSEndpoint v1alpha1")),
  "grafana-operator": chart(["Deployment/grafana-operator"], GRAFANA),
  keda: chart(["Deployment/keda-operator"], KEDA, when("crds.install", true)),
  "snapshot-controller": chart(["Deployment/snapshot-controller"], SNAPSHOTS, when("installCRDs", true)),
  ...HOME,
  "volsync-perfectra1n": chart(
    ["Deployment/volsync"],
    group(
      "volsync.backube",
      "kopiamaintenances KopiaMaintenance v1alpha1",
      "replicationdestinations ReplicationDestination v1alpha1",
      "replicationsources ReplicationSource v1alpha1",
    ),
    when("manageCRDs", true),
  ),
  cilium: { ...chart(["DaemonSet/cilium", "Deployment/cilium-operator"]), madeByOperator: CILIUM },
  coredns: chart(["Deployment/coredns"]),
  spegel: chart(["DaemonSet/spegel"]),
  "cert-manager": chart(
    ["Deployment/cert-manager", "Deployment/cert-manager-cainjector", "Deployment/cert-manager-webhook"],
    CERT_MANAGER,
    when("crds.enabled", false),
  ),
  "external-secrets": chart(
    ["Deployment/external-secrets", "Deployment/external-secrets-cert-controller", "Deployment/external-secrets-webhook"],
    EXTERNAL_SECRETS,
    when("installCRDs", true),
  ),
  "flux-operator": chart(["Deployment/flux-operator"], FLUX_OPERATOR, when("installCRDs", true)),
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

/** Every definition that any chart, operator or Flux itself brings: the one list of custom kinds. */
export const allDefinitions = (): KubeObject[] => [
  ...Object.values(CHARTS).flatMap(({ crds, madeByOperator }) => [...crds, ...madeByOperator]),
  ...FLUX,
];
