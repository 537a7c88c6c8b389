// Identities of Kubernetes objects: group, kind, namespace, name.
import type { KubeObject, Located } from "./types.ts";

/** `apps` of `apps/v1`; empty for the core group. */
export const groupOf = ({ apiVersion }: Pick<KubeObject, "apiVersion">) =>
  apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";

/** `v1` of `apps/v1`. */
export const versionOf = ({ apiVersion }: Pick<KubeObject, "apiVersion">) => apiVersion.slice(apiVersion.indexOf("/") + 1);

/** What the API server takes for one object: `apps/Deployment default/app`. */
export const keyOf = (object: KubeObject) => `${groupOf(object)}/${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;

/** The same for people: `Deployment default/app`. */
export const inWords = ({ kind, metadata }: Pick<KubeObject, "kind"> & { metadata?: KubeObject["metadata"] }) =>
  metadata ? `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}` : kind;

/** Whether an object is of a kind, of whatever version of its API. */
export const isKind = (object: KubeObject, kind: string, group: string) => object.kind === kind && groupOf(object) === group;

export const FLUX_KUSTOMIZE = "kustomize.toolkit.fluxcd.io";
export const FLUX_HELM = "helm.toolkit.fluxcd.io";
export const FLUX_SOURCE = "source.toolkit.fluxcd.io";

export const isFluxKustomization = ({ object }: Located) => isKind(object, "Kustomization", FLUX_KUSTOMIZE);
export const isHelmRelease = ({ object }: Located) => isKind(object, "HelmRelease", FLUX_HELM);

/** Whether it has what every object must have. */
export function isObject(value: unknown): value is KubeObject {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return typeof apiVersion === "string" && typeof kind === "string" && typeof metadata?.name === "string";
}
