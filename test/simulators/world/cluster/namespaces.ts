// Namespaces that are on their way out. The API server only marks them: emptying one, and letting it go, is the controller manager's work.
import { kindNamed } from "./kinds.ts";
import type { Step } from "./nodes.ts";
import { uninstall } from "../charts/cluster-releases.ts";
import { entriesOf, storeOf } from "./store.ts";
import type { ClusterState } from "./state.ts";

/** In the embedded cluster, where a Namespace goes at once with all that is in it, nothing is ever due. */
export const namespaceSteps = (state: Readonly<ClusterState>): Step[] =>
  entriesOf(state, "namespaces")
    .filter(({ object }) => object.metadata.deletionTimestamp !== undefined)
    .map(({ object: { metadata } }) => ({
      at: 0,
      what: `Namespace ${metadata.name} is emptied`,
      apply: (state, now) => empty(state, metadata.name, now),
    }));

function empty(state: ClusterState, name: string, now: number): void {
  const store = storeOf(state, now, "kube-controller-manager");
  const within = Object.values(state.objects).filter(({ object }) => object.metadata.namespace === name);
  const releases = Object.values(state.releases).filter(({ namespace }) => namespace === name);
  for (const release of releases) uninstall(state, release, now);
  for (const { object } of within) {
    const kind = kindNamed(state, object.apiVersion, object.kind);
    if (kind && object.metadata.deletionTimestamp === undefined) store.delete(kind, name, object.metadata.name);
  }
  if (within.length === 0 && releases.length === 0)
    state.outbox?.push({
      verb: "finalize",
      by: "kube-controller-manager",
      key: `namespaces//${name}`,
      apiVersion: "v1",
      kind: "Namespace",
    });
}
