// The state of Flux: every source, Kustomization and HelmRelease, whether it is ready, and why not.
import { getAllKnown, isReady, type KubernetesObject, steady, whyNotReady } from "../kubernetes/kubernetes.ts";
import { explained } from "../run/explained.ts";
import type { ClusterAccess } from "../kubernetes/access.ts";

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
  /** One line for each object that is not ready, causes first: objects that wait for a dependency come last. */
  waiting: string[];
  /** The repository that Flux follows, and the revisions that it has fetched and applied; undefined if it follows none. */
  source?: Source | undefined;
}

export interface Source {
  url: string;
  /** `refs/heads/main@sha1:…`; undefined before the first fetch. */
  revision?: string | undefined;
  /** Kustomizations of this source that have applied another revision, a line each. */
  behind: string[];
  /** Whether one of them has applied an older revision; the others are at their first. */
  outdated: boolean;
  /** The GitRepository and the Kustomization flux-system: the last request to reconcile, and the last that the controller has handled. */
  requests: { of: string; asked?: string | undefined; handled?: string | undefined }[];
}

const REQUESTED_AT = "reconcile.fluxcd.io/requestedAt";

interface Applied extends KubernetesObject {
  spec?: { url?: string; sourceRef?: { kind?: string; name?: string }; suspend?: boolean };
  status?: KubernetesObject["status"] & { artifact?: { revision?: string }; lastAppliedRevision?: string; lastHandledReconcileAt?: string };
}

/** The repository of the cluster itself, among the objects of Flux. */
export function sourceOf(objects: readonly KubernetesObject[]): Source | undefined {
  const find = (wanted: string) =>
    objects.find(({ kind, metadata }) => kind === wanted && metadata.name === "flux-system") as Applied | undefined;
  const source = find("GitRepository");
  if (!source) return undefined;
  const revision = source.status?.artifact?.revision;
  const behind = (objects as Applied[]).filter(
    ({ kind, spec, status }) =>
      kind === "Kustomization" && spec?.sourceRef?.name === "flux-system" && !spec.suspend && status?.lastAppliedRevision !== revision,
  );
  return {
    url: source.spec?.url ?? "",
    revision,
    behind: behind.map(
      ({ metadata, status }) =>
        `Kustomization ${metadata.namespace}/${metadata.name} is at ${status?.lastAppliedRevision ?? "no revision"}`,
    ),
    outdated: behind.some(({ status }) => status?.lastAppliedRevision !== undefined),
    requests: ["GitRepository", "Kustomization"].map((kind) => ({
      of: `${kind} flux-system`,
      asked: find(kind)?.metadata.annotations?.[REQUESTED_AT],
      handled: find(kind)?.status?.lastHandledReconcileAt,
    })),
  };
}

/** Whether Flux must be told to fetch before its next interval: it has fetched or applied another commit, or nobody knows which one it should have. The first one it fetches and applies without a request. */
export const needsReconcile = ({ revision, outdated }: Source, head: string | undefined): boolean =>
  revision !== undefined && (outdated || head === undefined || !revision.endsWith(`:${head}`));

/**
 * What is missing until Flux has fetched and applied this commit; undefined when nothing is. Without a commit it is whatever the repository had after
 * the request of `at`: until Flux has handled that request, the commit that it has may be an old one.
 */
export function lacks(source: Source | undefined, head: string | undefined, at?: string): string | undefined {
  if (!source) return "Flux has no GitRepository flux-system";
  const { revision = "nothing yet", behind, requests } = source;
  // a value that is not ours was written after ours, by a person or a webhook
  const open = requests.find(
    ({ asked, handled }) => at !== undefined && handled !== at && (asked === undefined || asked === at || handled !== asked),
  );
  if (open) return `${open.of} has not handled the request of ${at}`;
  if (head && !revision.endsWith(`:${head}`)) return `Flux has fetched ${revision}`;
  return behind[0];
}

/** The resource that makes source-controller fetch, and the one that makes kustomize-controller apply. */
export const SOURCES = "gitrepositories.source.toolkit.fluxcd.io";
export const KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io";

/** Makes Flux fetch and apply now, instead of at its next interval. Returns the time by which the request is known: see `lacks`. */
export async function reconcile(access: ClusterAccess, at = new Date().toISOString()): Promise<string> {
  const account = {
    attempted: "have Flux fetch and apply now",
    now: "Flux fetches and applies at its next interval",
    next: "the same command again",
  };
  for (const kind of [SOURCES, KUSTOMIZATIONS])
    await explained(account, () =>
      steady(() => access.$`kubectl annotate ${kind} flux-system --namespace flux-system --overwrite ${REQUESTED_AT}=${at}`),
    );
  return at;
}

/** The state of Flux; undefined if it is not installed. */
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
    source: sourceOf(objects),
  };
}
