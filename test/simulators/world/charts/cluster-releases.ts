// Installing a chart: the release, its objects, and whether what it runs can become available.
import { chartName, wantsMonitor } from "./cluster-charts.ts";
import { objectsOfChart, renderedBy } from "./objects.ts";
import { kindNamed, kindWord } from "../cluster/kinds.ts";
import { unmet } from "../cluster/pods.ts";
import { entriesOf, entryAt, setStatus, storeOf } from "../cluster/store.ts";
import type { ClusterState, Entry, KubeObject, ReleaseState } from "../cluster/state.ts";

export interface Install {
  name: string;
  namespace: string;
  url: string;
  version: string;
  values: any;
}

const HELM = "helm";

export const releaseAt = (state: Readonly<ClusterState>, namespace: string, name: string): ReleaseState | undefined =>
  state.releases[`${namespace}/${name}`];

/** What helm says before it has changed anything, or undefined. */
export function cannotInstall(state: Readonly<ClusterState>, { name, namespace, values, url, version }: Install): string | undefined {
  if (!entryAt(state, "namespaces", "", namespace)) return `create: failed to create: namespaces ${JSON.stringify(namespace)} not found`;
  const lacks = (kind: string, version: string, object: string) =>
    `unable to build kubernetes objects from release manifest: resource mapping not found for name: ${JSON.stringify(object)} namespace: ${JSON.stringify(namespace)} from "": no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(version)}\nensure CRDs are installed first`;
  if (wantsMonitor(values) && !kindWord(state, "servicemonitors.monitoring.coreos.com"))
    return lacks("ServiceMonitor", "monitoring.coreos.com/v1", name);
  if (chartName(url) === "flux-instance" && !kindWord(state, "fluxinstances.fluxcd.controlplane.io"))
    return lacks("FluxInstance", "fluxcd.controlplane.io/v1", "flux");
  const release = { name, namespace, values, url, version };
  const own = renderedBy(release).objects.map(({ spec }) => spec?.names?.kind as string | undefined);
  const strange = objectsOfChart(release).find(({ apiVersion, kind }) => !own.includes(kind) && !kindNamed(state, apiVersion, kind));
  return strange && lacks(strange.kind, strange.apiVersion, strange.metadata.name);
}

/** Writes a release and the objects of its chart. The caller has asked `cannotInstall`. */
export function install(
  state: ClusterState,
  { name, namespace, url, version, values }: Install,
  now: number,
  status = "deployed",
): ReleaseState {
  const key = `${namespace}/${name}`;
  const had = state.releases[key];
  const revision = (had?.revision ?? 0) + 1;
  const description = had ? "Preparing upgrade" : "Initial install underway";
  const release: ReleaseState = {
    name,
    namespace,
    revision,
    status,
    url,
    version,
    values,
    updated: now,
    chart: chartName(url),
    history: [...(had?.history ?? []), { revision, updated: now, status, version, description }],
  };
  state.releases[key] = release;
  if (status === "deployed") settle(state, namespace, name, "deployed");
  else state.outbox?.push({ verb: "release", by: HELM, namespace, name });
  applyObjects(state, release, now);
  return release;
}

/** Writes the objects of a release as it is now; after a rollback, too. */
export function applyObjects(state: ClusterState, release: ReleaseState, now: number): void {
  const store = storeOf(state, now, HELM);
  for (const object of objectsOf(release)) {
    const written = store.apply(object);
    if ("error" in written) throw new Error(`${release.namespace}/${release.name}: ${written.error}`); // cannotInstall should have said so
  }
}

/** Ends what was begun: the release is deployed, which supersedes what was so before, or it failed. */
export function settle(state: ClusterState, namespace: string, name: string, status: "deployed" | "failed"): void {
  const release = state.releases[`${namespace}/${name}`]!;
  const last = release.history.at(-1)!;
  const verb = last.revision === 1 ? "Install" : "Upgrade";
  if (status === "deployed") for (const one of release.history) if (one.status === "deployed" && one !== last) one.status = "superseded";
  release.status = last.status = status;
  last.description = status === "deployed" ? `${verb} complete` : `Release ${JSON.stringify(name)} failed: context deadline exceeded`;
  state.outbox?.push({ verb: "release", by: HELM, namespace, name });
}

/** What a release has in the cluster: what its chart renders, and in `crds/`, under the names that helm gives its own. */
export function objectsOf(release: ReleaseState): KubeObject[] {
  const { crds, objects } = renderedBy(release);
  const annotations = { "meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace };
  const owned = objects.map((object) =>
    object.kind === "CustomResourceDefinition"
      ? object
      : { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...object.metadata.annotations } } },
  );
  return [...crds, ...owned];
}

/** Removes a release and what it brought; definitions stay, as with helm's `crds/`. */
export function uninstall(state: ClusterState, release: ReleaseState, now: number): void {
  const store = storeOf(state, now, HELM);
  for (const { apiVersion, kind, metadata } of objectsOf(release)) {
    if (kind === "CustomResourceDefinition") continue;
    const found = kindWord(state, `${kind}.${apiVersion.split("/")[0]}`);
    if (found) store.delete(found, metadata.namespace, metadata.name);
  }
  delete state.releases[`${release.namespace}/${release.name}`];
  state.outbox?.push({ verb: "release", by: HELM, namespace: release.namespace, name: release.name });
}

export const workloads = (state: Readonly<ClusterState>): Entry[] =>
  ["deployments.apps", "daemonsets.apps", "statefulsets.apps"].flatMap((kind) => entriesOf(state, kind));

/** Whether a workload runs as it is wanted now. */
export const isAvailable = ({ object: { kind, metadata, status, spec } }: Entry) =>
  status?.observedGeneration === metadata.generation &&
  (kind === "DaemonSet"
    ? status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled
    : (status?.readyReplicas ?? 0) >= (spec.replicas ?? 1));

/** The workloads of a release. */
export const workloadsOf = (state: Readonly<ClusterState>, name: string, namespace: string): Entry[] =>
  workloads(state).filter(
    ({ object: { metadata } }) => metadata.annotations?.["meta.helm.sh/release-name"] === name && metadata.namespace === namespace,
  );

export const runs = (state: Readonly<ClusterState>, workload: string, namespace: string) => {
  const [kind = "", name = ""] = workload.split("/");
  const entry = entryAt(state, `${kind.toLowerCase()}s.apps`, namespace, name);
  return entry !== undefined && isAvailable(entry);
};

/** Why pods of this workload cannot run; undefined when they can. */
export function hindrance(state: Readonly<ClusterState>, entry: Entry): string | undefined {
  const { kind, metadata } = entry.object;
  const name = metadata.name;
  const nodes = entriesOf(state, "nodes");
  if (nodes.length === 0) return "no nodes available to schedule pods";
  // these run on the host's network, before there is a CNI
  if (name !== "cilium" && name !== "cilium-operator" && !nodes.some(isReadyNode))
    return `${kind} ${name}: 0/${nodes.length} nodes are available: ${nodes.length} node(s) had untolerated taint {node.kubernetes.io/not-ready: }`;
  if (name === "onepassword-connect" && !entryAt(state, "secrets", metadata.namespace!, "onepassword-secret"))
    return 'MountVolume.SetUp failed for volume "credentials": secret "onepassword-secret" not found';
  return unmet(state, entry);
}

export const isReadyNode = ({ object }: Entry) =>
  (object.status?.conditions ?? []).some(({ type, status }: any) => type === "Ready" && status === "True");

/** What a controller writes when the pods of a workload are up. */
export function becomeAvailable(state: ClusterState, entry: Entry): void {
  const { kind, metadata, spec } = entry.object;
  const count = kind === "DaemonSet" ? entriesOf(state, "nodes").length : (spec.replicas ?? 1);
  const generation = { observedGeneration: metadata.generation };
  const daemons = {
    ...generation,
    desiredNumberScheduled: count,
    currentNumberScheduled: count,
    updatedNumberScheduled: count,
    numberReady: count,
    numberAvailable: count,
    numberMisscheduled: 0,
  };
  const replicas = {
    ...generation,
    replicas: count,
    readyReplicas: count,
    availableReplicas: count,
    updatedReplicas: count,
    ...(kind === "Deployment" && {
      conditions: [
        { type: "Available", status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." },
        { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
      ],
    }),
  };
  setStatus(state, entry, kind === "DaemonSet" ? daemons : replicas, "kube-controller-manager");
}
