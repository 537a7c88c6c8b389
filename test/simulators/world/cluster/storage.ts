// What storage does by itself: Rook brings Ceph up, VolSync restores into a volume that waits for it, claims are bound, backups are made.
import { cephSteps } from "./ceph.ts";
import { PACE, type Step } from "./nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, entryAt, setStatus } from "./store.ts";
import type { ClusterState, Entry } from "./state.ts";

export function storageSteps(state: Readonly<ClusterState>, warns: boolean): Step[] {
  return [...cephSteps(state, warns), ...claimSteps(state), ...volsyncSteps(state)];
}

const step = (by: string, entry: Entry, wait: number, what: string, status: object): Step => ({
  at: entry.at + wait,
  what: `${entry.object.kind} ${entry.object.metadata.namespace}/${entry.object.metadata.name} ${what}`,
  apply(state) {
    const found = Object.values(state.objects).find(({ object }) => object.metadata.uid === entry.object.metadata.uid);
    if (found) setStatus(state, found, status, by);
  },
});

/** A claim is bound once its class is there and can give a volume; one that is to be filled first waits for what fills it. */
function claimSteps(state: Readonly<ClusterState>): Step[] {
  return entriesOf(state, "persistentvolumeclaims").flatMap((entry) => {
    const { metadata, spec, status } = entry.object;
    if (status?.phase === "Bound" || !provisions(state, spec.storageClassName as string)) return [];
    const source = spec.dataSourceRef;
    if (source) {
      const filler = entryAt(state, "replicationdestinations.volsync.backube", metadata.namespace!, source.name as string);
      if (!filler?.object.status?.latestImage) return [];
    }
    return [
      step("kube-controller-manager", entry, PACE.reconcile, "is bound", {
        phase: "Bound",
        accessModes: spec.accessModes,
        capacity: spec.resources.requests,
      }),
    ];
  });
}

function provisions(state: Readonly<ClusterState>, name: string): boolean {
  const found = entryAt(state, "storageclasses.storage.k8s.io", "", name);
  if (!found) return false;
  const [ceph] = entriesOf(state, "cephclusters.ceph.rook.io");
  return !String(found.object.provisioner).endsWith(".csi.ceph.com") || ceph?.object.status?.ceph?.health !== undefined;
}

function volsyncSteps(state: Readonly<ClusterState>): Step[] {
  if (!runs(state, "Deployment/volsync", "volsync-system")) return [];
  const idle = {
    type: "Synchronizing",
    status: "False",
    reason: "WaitingForSchedule",
    message: "Waiting for next scheduled synchronization",
  };
  const movers = (resource: string) =>
    entriesOf(state, resource).filter(({ object: { metadata, spec } }) => {
      const { repository, storageClassName, cacheStorageClassName } = spec.kopia;
      return (
        entryAt(state, "secrets", metadata.namespace!, repository as string) !== undefined &&
        [storageClassName, cacheStorageClassName].every((name) => name === undefined || provisions(state, name as string))
      );
    });
  const restored = movers("replicationdestinations.volsync.backube")
    .filter(({ object: { spec, status } }) => status?.lastManualSync !== spec.trigger?.manual)
    .map((entry) => {
      const { metadata, spec } = entry.object;
      const latestImage = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: `volsync-${metadata.name}-dest` };
      const conditions = [{ ...idle, reason: "WaitingForManual", message: "Waiting for manual trigger" }];
      return step("volsync", entry, PACE.reconcile, "has restored", { conditions, lastManualSync: spec.trigger.manual, latestImage });
    });
  const backedUp = movers("replicationsources.volsync.backube")
    .filter(({ object: { metadata, spec, status } }) => {
      const claim = entryAt(state, "persistentvolumeclaims", metadata.namespace!, spec.sourcePVC as string);
      return status?.conditions === undefined && claim?.object.status?.phase === "Bound";
    })
    .map((entry) => step("volsync", entry, PACE.reconcile, "waits for its hour", { conditions: [idle] }));
  return [...restored, ...backedUp];
}
