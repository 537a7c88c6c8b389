// The state of the simulated cluster: what etcd holds.

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: any;
}

/** An object, and what its controller has to remember: times in milliseconds, which the API does not have. */
export interface Entry {
  object: KubeObject;
  /** When it was made, or its spec was changed last. */
  at: number;
  /** The revision that was applied last (Kustomizations), or the spec that was installed (HelmReleases). */
  applied?: string;
  /** Kinds that were not there when it was applied: `cilium.io/v2 CiliumNode`. */
  lacks?: string[];
  /** The request to reconcile (`requestedAt`) that its controller works on. */
  handling?: string;
}

/** A revision of a Helm release, as its Secret holds it. */
export interface ReleaseState {
  name: string;
  namespace: string;
  revision: number;
  /** deployed, failed, pending-install, pending-upgrade, uninstalling */
  status: string;
  /** Name and version of the chart. */
  chart: string;
  version: string;
  url: string;
  values: unknown;
  updated: number;
  history: { revision: number; updated: number; status: string; version: string; description: string }[];
}

/** What a controller wrote and a real API server has yet to hear, in the API's own verbs. */
export type Write = { by: string } & (
  | { verb: "apply"; object: KubeObject }
  | { verb: "patch"; key: string; apiVersion: string; kind: string; patch: object }
  | { verb: "status"; key: string; apiVersion: string; kind: string; status: object }
  | { verb: "delete"; key: string; apiVersion: string; kind: string }
  /** Lets a Namespace go that is empty. */
  | { verb: "finalize"; key: string; apiVersion: string; kind: string }
  /** All that helm keeps of a release. */
  | { verb: "release"; namespace: string; name: string }
);

export interface ClusterState {
  /** Id of the etcd cluster that holds all this; another one begins empty. */
  etcd?: string;
  version: number;
  objects: Record<string, Entry>;
  releases: Record<string, ReleaseState>;
  /** There when a real API server stands behind this state: then objects and releases are a copy of what it holds, and writes go to it. */
  outbox?: Write[];
  /** Until when the API server refuses connections. */
  awayUntil?: number;
}
