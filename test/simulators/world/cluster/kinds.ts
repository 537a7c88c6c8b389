// Which kinds the API server of the home serves: those built in, and those of the definitions that were applied.
import { derived, entriesOf } from "./reading.ts";
import type { ClusterState, Entry } from "./state.ts";

export interface Kind {
  group: string;
  /** The first is the preferred one. */
  versions: string[];
  kind: string;
  plural: string;
  short: string[];
  namespaced: boolean;
}

const builtIn = (line: string): Kind => {
  const [plural = "", group = "", version = "", kind = "", scope = "", short = ""] = line.split(" ");
  return {
    group: group === "-" ? "" : group,
    versions: [version],
    kind,
    plural,
    short: short ? short.split(",") : [],
    namespaced: scope === "namespaced",
  };
};

/** Every kind that Kubernetes 1.36 serves by default and that can be listed. */
const BUILT_IN = [
  "namespaces - v1 Namespace cluster ns",
  "nodes - v1 Node cluster no",
  "pods - v1 Pod namespaced po",
  "secrets - v1 Secret namespaced",
  "configmaps - v1 ConfigMap namespaced cm",
  "services - v1 Service namespaced svc",
  "serviceaccounts - v1 ServiceAccount namespaced sa",
  "persistentvolumeclaims - v1 PersistentVolumeClaim namespaced pvc",
  "persistentvolumes - v1 PersistentVolume cluster pv",
  "events - v1 Event namespaced ev",
  "endpoints - v1 Endpoints namespaced ep",
  "limitranges - v1 LimitRange namespaced limits",
  "podtemplates - v1 PodTemplate namespaced",
  "replicationcontrollers - v1 ReplicationController namespaced rc",
  "resourcequotas - v1 ResourceQuota namespaced quota",
  "componentstatuses - v1 ComponentStatus cluster cs",
  "deployments apps v1 Deployment namespaced deploy",
  "daemonsets apps v1 DaemonSet namespaced ds",
  "statefulsets apps v1 StatefulSet namespaced sts",
  "replicasets apps v1 ReplicaSet namespaced rs",
  "controllerrevisions apps v1 ControllerRevision namespaced",
  "jobs batch v1 Job namespaced",
  "cronjobs batch v1 CronJob namespaced cj",
  "horizontalpodautoscalers autoscaling v2 HorizontalPodAutoscaler namespaced hpa",
  "poddisruptionbudgets policy v1 PodDisruptionBudget namespaced pdb",
  "networkpolicies networking.k8s.io v1 NetworkPolicy namespaced netpol",
  "ingresses networking.k8s.io v1 Ingress namespaced ing",
  "ingressclasses networking.k8s.io v1 IngressClass cluster",
  "ipaddresses networking.k8s.io v1 IPAddress cluster ip",
  "servicecidrs networking.k8s.io v1 ServiceCIDR cluster",
  "endpointslices discovery.k8s.io v1 EndpointSlice namespaced",
  "storageclasses storage.k8s.io v1 StorageClass cluster sc",
  "csidrivers storage.k8s.io v1 CSIDriver cluster",
  "csinodes storage.k8s.io v1 CSINode cluster",
  "csistoragecapacities storage.k8s.io v1 CSIStorageCapacity namespaced",
  "volumeattachments storage.k8s.io v1 VolumeAttachment cluster",
  "volumeattributesclasses storage.k8s.io v1 VolumeAttributesClass cluster vac",
  "roles rbac.authorization.k8s.io v1 Role namespaced",
  "rolebindings rbac.authorization.k8s.io v1 RoleBinding namespaced",
  "clusterroles rbac.authorization.k8s.io v1 ClusterRole cluster",
  "clusterrolebindings rbac.authorization.k8s.io v1 ClusterRoleBinding cluster",
  "mutatingwebhookconfigurations admissionregistration.k8s.io v1 MutatingWebhookConfiguration cluster",
  "validatingwebhookconfigurations admissionregistration.k8s.io v1 ValidatingWebhookConfiguration cluster",
  "mutatingadmissionpolicies admissionregistration.k8s.io v1 MutatingAdmissionPolicy cluster",
  "mutatingadmissionpolicybindings admissionregistration.k8s.io v1 MutatingAdmissionPolicyBinding cluster",
  "validatingadmissionpolicies admissionregistration.k8s.io v1 ValidatingAdmissionPolicy cluster",
  "validatingadmissionpolicybindings admissionregistration.k8s.io v1 ValidatingAdmissionPolicyBinding cluster",
  "priorityclasses scheduling.k8s.io v1 PriorityClass cluster pc",
  "runtimeclasses node.k8s.io v1 RuntimeClass cluster",
  "deviceclasses resource.k8s.io v1 DeviceClass cluster",
  "resourceclaims resource.k8s.io v1 ResourceClaim namespaced",
  "resourceclaimtemplates resource.k8s.io v1 ResourceClaimTemplate namespaced",
  "resourceslices resource.k8s.io v1 ResourceSlice cluster",
  "leases coordination.k8s.io v1 Lease namespaced",
  "apiservices apiregistration.k8s.io v1 APIService cluster",
  "flowschemas flowcontrol.apiserver.k8s.io v1 FlowSchema cluster",
  "prioritylevelconfigurations flowcontrol.apiserver.k8s.io v1 PriorityLevelConfiguration cluster",
  "certificatesigningrequests certificates.k8s.io v1 CertificateSigningRequest cluster csr",
  "customresourcedefinitions apiextensions.k8s.io v1 CustomResourceDefinition cluster crd,crds",
].map(builtIn);

export const isBuiltIn = (kind: Kind) => BUILT_IN.includes(kind);

const CRDS = "customresourcedefinitions.apiextensions.k8s.io";

/** Every kind that is served now; a definition counts once it is Established. */
export const kindsOf = (state: Readonly<ClusterState>): Kind[] => derived(state, allKinds);

const allKinds = (state: Readonly<ClusterState>): Kind[] => [
  ...BUILT_IN,
  ...entriesOf(state, CRDS)
    .filter(isEstablished)
    .map(({ object }) => defined(object.spec)),
];

export const isEstablished = ({ object }: Entry) =>
  (object.status?.conditions ?? []).some(
    ({ type, status }: { type: string; status: string }) => type === "Established" && status === "True",
  );

const defined = (spec: any): Kind => ({
  group: spec.group,
  versions: spec.versions.map(({ name }: { name: string }) => name),
  kind: spec.names.kind,
  plural: spec.names.plural,
  short: spec.names.shortNames ?? [],
  namespaced: spec.scope === "Namespaced",
});

/** `secrets`, or `helmreleases.helm.toolkit.fluxcd.io`: how a kind is named in errors and is the beginning of its objects' keys. */
export const resourceOf = ({ plural, group }: Pick<Kind, "plural" | "group">) => (group ? `${plural}.${group}` : plural);

/** `secret`, or `helmrelease.helm.toolkit.fluxcd.io`: how kubectl prints it. */
export const printedKind = ({ kind, group }: Kind) => (group ? `${kind.toLowerCase()}.${group}` : kind.toLowerCase());

/** The kind that a manifest's apiVersion and kind name. */
export function kindNamed(state: Readonly<ClusterState>, apiVersion: string, kind: string): Kind | undefined {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return kindsOf(state).find((one) => one.kind === kind && one.group === group && one.versions.includes(version!));
}

/** The kind that a word of a command line names: `no`, `node`, `Nodes`, `kustomizations.kustomize.toolkit.fluxcd.io`, `deployments.v1.apps`. */
export function kindWord(state: Readonly<ClusterState>, word: string): Kind | undefined {
  const [name = "", ...rest] = word.toLowerCase().split(".");
  const group = rest.join(".");
  return kindsOf(state).find(
    (kind) =>
      [kind.plural, kind.kind.toLowerCase(), ...kind.short].includes(name) &&
      (group === "" || group === kind.group || kind.versions.some((version) => group === `${version}.${kind.group}`)),
  );
}
