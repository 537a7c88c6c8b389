// Storage in the simulated cluster: nothing is ready before what it stands on.
import { describe, expect, it } from "vitest";
import { isHealthy } from "../../../simulators/world/flux/health.ts";
import { generated } from "../../../simulators/world/kustomize/kustomize-generate.ts";
import { operatorSteps } from "../../../simulators/world/cluster/operators.ts";
import { jobSteps } from "../../../simulators/world/cluster/jobs.ts";
import { unmet, withNeeds } from "../../../simulators/world/cluster/pods.ts";
import { storageSteps } from "../../../simulators/world/cluster/storage.ts";
import { entryAt, freshCluster } from "../../../simulators/world/cluster/store.ts";
import type { ClusterState, Entry, KubeObject } from "../../../simulators/world/cluster/state.ts";

const OPERATORS: Record<string, string> = {
  "rook-ceph-operator": "rook-ceph",
  volsync: "volsync-system",
  "keda-operator": "observability",
};

function put(state: ClusterState, resource: string, object: Partial<KubeObject> & { metadata: KubeObject["metadata"] }): Entry {
  const { namespace = "", name } = object.metadata;
  const metadata = { generation: 1, uid: `${resource}/${namespace}/${name}`, ...object.metadata };
  return (state.objects[`${resource}/${namespace}/${name}`] = { at: 0, object: { apiVersion: "v1", kind: "Thing", ...object, metadata } });
}

/** A cluster in which these operators run. */
function cluster(...running: string[]): ClusterState {
  const state = freshCluster();
  for (const name of running)
    put(state, "deployments.apps", {
      kind: "Deployment",
      metadata: { name, namespace: OPERATORS[name]! },
      spec: { replicas: 1 },
      status: { observedGeneration: 1, readyReplicas: 1 },
    });
  return state;
}

/** Lets everything happen that can, and says what did. */
function settle(state: ClusterState, warns = false): string[] {
  const said: string[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const steps = [...storageSteps(state, warns), ...operatorSteps(state)];
    if (steps.length === 0) return said;
    for (const { what, apply } of steps) {
      said.push(what);
      apply(state, 0);
    }
  }
  throw new Error(`it never ends: ${said.slice(-3).join("; ")}`);
}

const withCeph = (state: ClusterState) => {
  put(state, "cephclusters.ceph.rook.io", {
    kind: "CephCluster",
    metadata: { name: "rook-ceph", namespace: "rook-ceph" },
    spec: { security: { cephx: { allowedCiphers: ["aes256k"] } } }, // nothing to warn of
  });
  for (const [name, provisioner] of [
    ["ceph-block", "rook-ceph.rbd.csi.ceph.com"],
    ["openebs-hostpath", "openebs.io/local"],
  ])
    put(state, "storageclasses.storage.k8s.io", { metadata: { name: name! }, provisioner });
  return state;
};
const claim = (state: ClusterState, dataSourceRef?: object) =>
  put(state, "persistentvolumeclaims", {
    kind: "PersistentVolumeClaim",
    metadata: { name: "sonarr", namespace: "media" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "5Gi" } },
      storageClassName: "ceph-block",
      ...(dataSourceRef && { dataSourceRef }),
    },
  });
const mover = { kopia: { repository: "sonarr-volsync-secret", storageClassName: "ceph-block", cacheStorageClassName: "openebs-hostpath" } };
const secret = (state: ClusterState) => put(state, "secrets", { metadata: { name: "sonarr-volsync-secret", namespace: "media" } });

describe("Ceph", () => {
  it("is up once Rook runs, with the warning that somebody asked for", () => {
    expect(settle(withCeph(cluster()))).toEqual([]);
    expect(settle(withCeph(cluster("rook-ceph-operator")))).toEqual(["CephCluster rook-ceph/rook-ceph is HEALTH_OK"]);
    const state = withCeph(cluster("rook-ceph-operator"));
    expect(settle(state, true)).toEqual(["CephCluster rook-ceph/rook-ceph is HEALTH_WARN"]);
    expect(settle(state)).toEqual(["CephCluster rook-ceph/rook-ceph is HEALTH_OK"]);
  });
});

describe("a claim", () => {
  it("waits for its class, and for the Ceph behind it", () => {
    const state = cluster("rook-ceph-operator");
    claim(state);
    expect(settle(state)).toEqual([]);
    expect(settle(withCeph(state))).toEqual([
      "CephCluster rook-ceph/rook-ceph is HEALTH_OK",
      "PersistentVolumeClaim media/sonarr is bound",
    ]);
  });

  it("that is to be filled waits for the restore, which waits for the repository's Secret", () => {
    const state = withCeph(cluster("rook-ceph-operator", "volsync"));
    const bound = claim(state, { kind: "ReplicationDestination", name: "sonarr-dst" });
    put(state, "replicationdestinations.volsync.backube", {
      kind: "ReplicationDestination",
      metadata: { name: "sonarr-dst", namespace: "media" },
      spec: { ...mover, trigger: { manual: "restore-once" } },
    });
    put(state, "replicationsources.volsync.backube", {
      kind: "ReplicationSource",
      metadata: { name: "sonarr", namespace: "media" },
      spec: { ...mover, sourcePVC: "sonarr" },
    });
    settle(state);
    expect(bound.object.status).toBeUndefined();
    secret(state);
    expect(settle(state)).toEqual([
      "ReplicationDestination media/sonarr-dst has restored",
      "PersistentVolumeClaim media/sonarr is bound",
      "ReplicationSource media/sonarr waits for its hour",
    ]);
  });
});

describe("a pod of app-template", () => {
  const bare: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "sonarr", namespace: "media" },
    spec: { template: { spec: { containers: [{ name: "sonarr", image: "sonarr:1" }] } } },
  };
  const values = {
    controllers: { sonarr: { containers: { app: { envFrom: [{ secretRef: { name: "{{ .Release.Name }}-secret" } }] } } } },
    persistence: { data: { existingClaim: "{{ .Release.Name }}" }, tmp: { type: "emptyDir" } },
  };
  const url = "oci://ghcr.io/bjw-s-labs/helm/app-template";

  it("waits for its claim, then for its Secret", () => {
    const state = withCeph(cluster("rook-ceph-operator"));
    const pod: Entry = { at: 0, object: withNeeds(bare, { name: "sonarr", url, values }) };
    expect(unmet(state, pod)).toBe('persistentvolumeclaim "sonarr" not found');
    claim(state);
    expect(unmet(state, pod)).toBe("pod has unbound immediate PersistentVolumeClaims");
    settle(state);
    expect(unmet(state, pod)).toBe('Error: secret "sonarr-secret" not found');
    put(state, "secrets", { metadata: { name: "sonarr-secret", namespace: "media" } });
    expect(unmet(state, pod)).toBeUndefined();
  });

  it("of another chart is left as its chart has it", () => {
    expect(withNeeds(bare, { name: "sonarr", url: "oci://ghcr.io/rook/rook-ceph", values })).toBe(bare);
  });
});

it("a ScaledObject is ready once what it scales is there", () => {
  const state = cluster("keda-operator");
  put(state, "scaledobjects.keda.sh", {
    kind: "ScaledObject",
    metadata: { name: "sonarr", namespace: "media" },
    spec: { scaleTargetRef: { name: "sonarr" } },
  });
  expect(settle(state)).toEqual([]);
  put(state, "deployments.apps", { metadata: { name: "sonarr", namespace: "media" } });
  expect(settle(state)).toEqual(["ScaledObject sonarr is ready"]);
});

describe("a health check", () => {
  const current = "status.ceph.health in ['HEALTH_OK', 'HEALTH_WARN']";
  const check = (expression: string) => ({
    at: 0,
    object: {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "rook-ceph-cluster", namespace: "rook-ceph" },
      spec: {
        healthCheckExprs: [{ apiVersion: "v1", kind: "CephCluster", current: expression }],
        healthChecks: [{ apiVersion: "v1", kind: "CephCluster", name: "rook-ceph", namespace: "rook-ceph" }],
      },
    },
  });

  it("is judged by the tree's own expression: a warning is well, no status is not", () => {
    const state = withCeph(cluster("rook-ceph-operator"));
    expect(isHealthy(state, check(current))).toBe(false);
    settle(state, true);
    expect(isHealthy(state, check(current))).toBe(true);
    entryAt(state, "cephclusters.ceph.rook.io", "rook-ceph", "rook-ceph")!.object.status = { ceph: { health: "HEALTH_ERR" } };
    expect(isHealthy(state, check(current))).toBe(false);
  });

  it("by an expression that nobody taught is refused", () => {
    expect(() => isHealthy(withCeph(cluster()), check("has(status.phase)"))).toThrow("has(status.phase)");
  });
});

it("a generated ConfigMap holds the file, under its key; a name with a hash is refused", () => {
  const folder = `${import.meta.dirname}/../../../../kubernetes/apps/actions-runner-system/home-ops-runner/app`;
  const generator = { name: "hooks", files: ["job-started.sh=./resources/job-started.sh"] };
  const made = generated(generator, { disableNameSuffixHash: true, annotations: { a: "b" } }, folder);
  expect([made.kind, made.metadata, made.data["job-started.sh"].slice(0, 11)]).toEqual([
    "ConfigMap",
    { name: "hooks", annotations: { a: "b" } },
    "#!/usr/bin/",
  ]);
  expect(() => generated(generator, {}, folder)).toThrow("disableNameSuffixHash");
  expect(() => generated({ ...generator, literals: [] } as never, { disableNameSuffixHash: true }, folder)).toThrow("literals");
});

describe("a Job", () => {
  const job = (state: ClusterState) =>
    put(state, "jobs.batch", {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "kopia-repository", namespace: "volsync-system" },
      spec: { template: { spec: { containers: [{ name: "app", envFrom: [{ secretRef: { name: "kopia-repository-secret" } }] }] } } },
    });
  const node = (state: ClusterState) =>
    put(state, "nodes", { kind: "Node", metadata: { name: "one" }, status: { conditions: [{ type: "Ready", status: "True" }] } });

  it("runs once, when its Secret is there and a node has room for it", () => {
    const state = cluster();
    job(state);
    expect(jobSteps(state)).toEqual([]);
    node(state);
    expect(jobSteps(state)).toEqual([]);
    put(state, "secrets", { metadata: { name: "kopia-repository-secret", namespace: "volsync-system" } });
    const [step, ...more] = jobSteps(state);
    expect([step!.what, more]).toEqual(["Job volsync-system/kopia-repository is complete", []]);
    step!.apply(state, 90_000);
    expect(entryAt(state, "jobs.batch", "volsync-system", "kopia-repository")!.object.status).toMatchObject({
      completionTime: "1970-01-01T00:01:30Z",
      startTime: "1970-01-01T00:00:00Z",
      succeeded: 1,
    });
    expect(jobSteps(state)).toEqual([]);
  });

  it("holds back what waits for it until it is complete", () => {
    const state = cluster();
    const entry = job(state);
    const check = { apiVersion: "batch/v1", kind: "Job", name: "kopia-repository", namespace: "volsync-system" };
    const waiter = put(state, "kustomizations.kustomize.toolkit.fluxcd.io", {
      metadata: { name: "kopia-repository", namespace: "volsync-system" },
      spec: { healthChecks: [check] },
    });
    expect(isHealthy(state, waiter)).toBe(false);
    entry.object.status = { conditions: [{ type: "Complete", status: "True" }] };
    expect(isHealthy(state, waiter)).toBe(true);
  });
});
