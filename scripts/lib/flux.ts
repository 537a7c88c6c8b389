// What Flux says of itself: every source, Kustomization and HelmRelease, ready or not and why.
import { getAllKnown, isReady, type KubernetesObject, whyNotReady } from "./kubernetes.ts";
import type { ClusterAccess } from "./kubernetes/access.ts";

const KINDS = [
  "fluxinstances.fluxcd.controlplane.io",
  "gitrepositories.source.toolkit.fluxcd.io",
  "ocirepositories.source.toolkit.fluxcd.io",
  "kustomizations.kustomize.toolkit.fluxcd.io",
  "helmreleases.helm.toolkit.fluxcd.io",
].join(",");

export interface FluxState {
  ready: number;
  total: number;
  /** One line for each that is not ready, the cause first: what waits for a dependency comes last. */
  waiting: string[];
}

/** Flux's state; undefined while it is not installed. */
export async function fluxState(access: ClusterAccess): Promise<FluxState | undefined> {
  const objects = await getAllKnown(access, KINDS);
  return objects && summarize(objects);
}

export function summarize(objects: KubernetesObject[]): FluxState {
  const left = objects.filter((object) => !isReady(object));
  const depends = (object: KubernetesObject) => Number(/DependencyNotReady/.test(whyNotReady(object)));
  return {
    ready: objects.length - left.length,
    total: objects.length,
    waiting: left.sort((a, b) => depends(a) - depends(b)).map(whyNotReady),
  };
}
