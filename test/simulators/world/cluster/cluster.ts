// The Kubernetes cluster of the simulated home: what is in it, and how it moves on by itself. Nothing moves while the API server is away, and nothing when nothing is due.
import { join } from "node:path";
import { layoutOf } from "../../environment.ts";
import { checkOut, headOf } from "../../fork/repository.ts";
import { fluxSteps } from "../flux/cluster-flux.ts";
import type { Around } from "../flux/status.ts";
import { ingressSteps } from "./ingress.ts";
import { jobSteps } from "./jobs.ts";
import { isEstablished } from "./kinds.ts";
import { namespaceSteps } from "./namespaces.ts";
import { definitionSteps, nodeSteps, type Step, workloadSteps } from "./nodes.ts";
import { operatorSteps } from "./operators.ts";
import { isReadyNode } from "../charts/cluster-releases.ts";
import { reading } from "./reading.ts";
import { storageSteps } from "./storage.ts";
import { entriesOf, entryAt, freshCluster, storeOf } from "./store.ts";
import { withoutDefaults } from "./definitions.ts";
import { apiServerUp, etcdMembers, kubelets, PACE } from "../talos/machines.ts";
import { hasField } from "../op/vault.ts";
import type { State, World } from "../world.ts";
import type { ClusterState } from "./state.ts";

export type { ClusterState } from "./state.ts";
export { freshCluster } from "./store.ts";

/** Everything that the cluster will do by itself, as far as it can be seen now. */
function stepsOf(world: World): Step[] {
  const { cluster, machines } = world.state;
  const alive = Object.values(machines).some(({ etcd }) => etcd && etcd.cluster === cluster.etcd);
  if (cluster.etcd !== undefined && !alive) return [{ at: 0, what: "the cluster is no more", apply: (state) => begin(state, undefined) }];
  if (!apiServerUp(world)) return [];
  const [first] = etcdMembers(world);
  if (cluster.etcd === undefined)
    return [{ at: 0, what: "the API server begins", apply: (state, now) => begin(state, first!.etcd!.cluster, now) }];
  const born = first!.etcd!.readyAt + PACE.apiServer;
  const around: Around = {
    head: (url, ref) => headOf(world.folder, url, ref),
    fetch: (url, commit) => void checkOut(world.folder, url, commit),
    artifact: (revision) => join(layoutOf(world.folder).artifacts, revision.split(":").at(-1)!),
    fails: (fault) => world.has(fault),
    vaultHas: (vault, item, field) => hasField(world.state.vault, vault, item, field),
  };
  return reading(cluster, () => [
    ...definitionSteps(cluster),
    ...namespaceSteps(cluster),
    ...nodeSteps(cluster, kubelets(world), born),
    ...workloadSteps(cluster),
    ...jobSteps(cluster),
    ...storageSteps(cluster, world.has("ceph-warns")),
    ...operatorSteps(cluster),
    ...ingressSteps(cluster),
    ...fluxSteps(cluster, around),
  ]);
}

function begin(state: ClusterState, etcd: string | undefined, now = 0): void {
  const { outbox } = state;
  for (const key of Object.keys(state)) delete (state as unknown as Record<string, unknown>)[key];
  Object.assign(state, freshCluster(), outbox && { outbox: [] });
  if (etcd === undefined) return;
  state.etcd = etcd;
  if (outbox) return; // a real API server has made these itself
  for (const name of ["default", "kube-node-lease", "kube-public", "kube-system"])
    storeOf(state, now).apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

/** Does what is due. Returns when the next step is due by itself, as far as can be seen now; Infinity when none is. */
export function tick(world: World): number {
  const now = world.now();
  const steps = stepsOf(world);
  const due = steps.filter(({ at }) => at <= now);
  if (due.length > 0)
    world.change("world", due.map(({ what }) => what).join("; "), ({ cluster }) => due.forEach(({ apply }) => apply(cluster, now)));
  return steps.reduce((next, { at }) => (at > now ? Math.min(next, at) : next), Infinity);
}

/** The API server goes away for a while. */
export const leave = (world: World): void =>
  world.change("world", "the API server leaves", ({ cluster }) => void (cluster.awayUntil = world.now() + PACE.away));

/** Whether anything is still under way: here, or at a real API server. */
export function pending(world: World): boolean {
  const { cluster } = world.state;
  const definitions = () => entriesOf(cluster, "customresourcedefinitions.apiextensions.k8s.io");
  const elsewhere = cluster.outbox && apiServerUp(world) && (cluster.outbox.length > 0 || !definitions().every(isEstablished));
  return elsewhere || stepsOf(world).length > 0;
}

/** What is in the cluster, without times, generated ids and versions. */
export function normalised({ state }: { state: Readonly<State> }): unknown {
  const { objects, releases } = state.cluster;
  return {
    objects: Object.keys(objects)
      .sort()
      .map((key) => {
        const {
          metadata: {
            name: _,
            namespace: __,
            uid: ___,
            resourceVersion: ____,
            creationTimestamp: _____,
            generation: ______,
            annotations = {},
            ...metadata
          },
          status,
          data,
          ...body
        } = objects[key]!.object;
        const { "reconcile.fluxcd.io/requestedAt": _______, ...kept } = annotations;
        // their order is up to whoever writes them
        const conditions = (status?.conditions ?? [])
          .map(({ type, status, reason }: any) => `${type}=${status} ${reason ?? ""}`.trim())
          .sort();
        // an empty spec says as much as none
        const stated = body.kind === "CustomResourceDefinition" ? {} : (withoutDefaults(objects[key]!.object) ?? {});
        const spec = Object.keys(stated).length === 0 ? {} : { spec: stated };
        // values of Secrets are as random as their makers
        return {
          key,
          ...metadata,
          annotations: kept,
          ...spec,
          data: Object.keys(data ?? {}).sort(),
          conditions,
        };
      }),
    releases: Object.values(releases)
      .map(({ name, namespace, status, chart, version, values }) => ({ name, namespace, status, chart, version, values }))
      .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1)),
  };
}

/** Whether Kubernetes has this node as Ready; undefined when it does not know it. */
export function nodeReady({ cluster }: Readonly<State>, name: string): boolean | undefined {
  const entry = entryAt(cluster, "nodes", "", name);
  return entry && isReadyNode(entry);
}
