// A resource during a build, with every identity that it has had: patches and references may use any of them.
import { groupOf, versionOf } from "../object.ts";
import type { KubeObject, Source } from "../types.ts";

export interface Id {
  group: string;
  version: string;
  kind: string;
  name: string;
  namespace: string;
}

export interface Resource {
  object: KubeObject;
  source: Source;
  /** Oldest first, without the present one. */
  before: Id[];
  /** The name gets the hash of its content in the end. */
  hashed: boolean;
  /** What a generated resource does to one that is there already. */
  behavior: "create" | "merge" | "replace";
  encrypted: boolean;
}

/** kyaml's own list (openapi.go, of Kubernetes 1.21): everything else counts as namespaced, cluster-scoped custom resources too. */
const CLUSTER_SCOPED = new Set(
  [
    "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1 CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1 CustomResourceDefinition",
    "apiregistration.k8s.io/v1 APIService",
    "apiregistration.k8s.io/v1beta1 APIService",
    "certificates.k8s.io/v1 CertificateSigningRequest",
    "certificates.k8s.io/v1beta1 CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1 IngressClass",
    "networking.k8s.io/v1beta1 IngressClass",
    "node.k8s.io/v1 RuntimeClass",
    "node.k8s.io/v1beta1 RuntimeClass",
    "policy/v1beta1 PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1 ClusterRole ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1beta1 ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io/v1 PriorityClass",
    "scheduling.k8s.io/v1beta1 PriorityClass",
    "storage.k8s.io/v1 CSIDriver CSINode StorageClass VolumeAttachment",
    "storage.k8s.io/v1beta1 CSIDriver CSINode StorageClass VolumeAttachment",
    "v1 ComponentStatus Namespace Node PersistentVolume",
  ].flatMap((line) => {
    const [version = "", ...kinds] = line.split(" ");
    return kinds.map((kind) => `${version} ${kind}`);
  }),
);

/** Whether kustomize leaves an object without a namespace. */
export const isClusterScoped = ({ apiVersion, kind }: Pick<KubeObject, "apiVersion" | "kind">) =>
  CLUSTER_SCOPED.has(`${apiVersion} ${kind}`);

export function idOf(object: KubeObject): Id {
  return {
    group: groupOf(object),
    version: versionOf(object),
    kind: object.kind,
    name: object.metadata.name,
    namespace: isClusterScoped(object) ? "" : (object.metadata.namespace ?? "default"),
  };
}

export const sameId = (a: Id, b: Id) =>
  a.group === b.group && a.version === b.version && a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;

export const idsOf = ({ before, object }: Resource): Id[] => [...before, idOf(object)];

/** Call before a name, namespace or kind changes. */
export const remember = (resource: Resource) => void resource.before.push(idOf(resource.object));

export const showId = ({ group, kind, namespace, name }: Id) => `${kind}${group && `.${group}`} ${namespace && `${namespace}/`}${name}`;
