// What Flux's controllers have in common: the condition Ready as they write it, and what a person asked for.
import { digestOf, observedOf, setStatus } from "../cluster/store.ts";
import type { ClusterState, Entry } from "../cluster/state.ts";

export interface Around {
  /** The commit at a ref of the repository behind a URL, or why there is none. */
  head(url: string, ref: string): { head: string } | { error: string };
  /** Fetches a commit, so that `artifact` has its files. */
  fetch(url: string, commit: string): void;
  /** The folder with the files of a revision that was fetched: `refs/heads/main@sha1:…`. */
  artifact(revision: string): string;
  fails(fault: "flux-app-fails" | "registry-down"): boolean;
  /** Whether a vault has an item, and a value in that field of it. */
  vaultHas(vault: string, item: string, field?: string): boolean;
}

/** The condition Ready of an object's present generation, as Flux's controllers write it, if it differs from what is there. */
export function ready(
  entry: Entry,
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  more: object | ((now: number) => object) = {},
): ((state: ClusterState, now: number) => void) | undefined {
  const { metadata, status: had } = entry.object;
  const is = had?.conditions?.find(({ type }: any) => type === "Ready");
  if (
    is?.status === status &&
    is.reason === reason &&
    is.message === message &&
    observedOf(entry) === metadata.generation &&
    !isRequested(entry)
  )
    return undefined;
  return (state, now) => {
    const lastTransitionTime = is?.status === status ? is.lastTransitionTime : secondsOf(now);
    const handled = metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
    const conditions = [{ type: "Ready", status, observedGeneration: metadata.generation, lastTransitionTime, reason, message }];
    if (handled) same(state, entry).handling = handled;
    const written = {
      conditions,
      observedGeneration: metadata.generation,
      ...(handled && status !== "Unknown" && { lastHandledReconcileAt: handled }), // Flux's controllers write it when they end, well or not
      ...(typeof more === "function" ? more(now) : more),
    };
    setStatus(state, same(state, entry), written, CONTROLLERS[entry.object.apiVersion.split("/")[0]!] ?? "controller");
  };
}

/** A source's artifact, as source-controller stores and serves it. */
export const artifactOfSource =
  ({ object: { kind, metadata } }: Entry, revision: string) =>
  (now: number) => {
    const path = `${kind.toLowerCase()}/${metadata.namespace}/${metadata.name}/${digestOf(revision).slice(0, 12)}.tar.gz`;
    const url = `http://source-controller.${metadata.namespace}.svc.cluster.local./${path}`;
    return { artifact: { revision, digest: `sha256:${digestOf(revision)}`, lastUpdateTime: secondsOf(now), path, url } };
  };

export const secondsOf = (now: number) => `${new Date(now).toISOString().slice(0, 19)}Z`;

/** Who looks after the kinds of a group. */
const CONTROLLERS: Record<string, string> = {
  "fluxcd.controlplane.io": "flux-operator",
  "source.toolkit.fluxcd.io": "source-controller",
  "kustomize.toolkit.fluxcd.io": "kustomize-controller",
  "helm.toolkit.fluxcd.io": "helm-controller",
  "external-secrets.io": "external-secrets",
};

/** The same object in a state that may be written. */
export const same = (state: ClusterState, { object }: Entry): Entry =>
  Object.values(state.objects).find((entry) => entry.object.metadata.uid === object.metadata.uid)!;

/** Whether somebody (`flux reconcile`) requested it and its controller has not begun with that request. */
export const isRequested = ({ object: { metadata, status }, handling }: Entry) => {
  const asked = metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
  return asked !== undefined && asked !== status?.lastHandledReconcileAt && asked !== handling;
};

export const isReadyNow = (entry: Entry | undefined) =>
  entry !== undefined &&
  observedOf(entry) === entry.object.metadata.generation &&
  entry.object.status?.conditions?.some(({ type, status }: any) => type === "Ready" && status === "True") === true;

export const nameOf = ({ object: { metadata } }: Entry) => `${metadata.namespace}/${metadata.name}`;
