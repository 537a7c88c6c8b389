// Whether an upgrade by tuppr would start on the home's Ceph: the spec, the plans and their health checks are those of the tree.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { cephSteps, cephWarnings } from "../../../simulators/world/cluster/ceph.ts";
import { freshCluster } from "../../../simulators/world/cluster/store.ts";
import { tupprSteps } from "../../../simulators/world/cluster/tuppr.ts";
import type { ClusterState, KubeObject } from "../../../simulators/world/cluster/state.ts";

const tree = (file: string) => parseAllDocuments(readFileSync(`kubernetes/apps/${file}`, "utf8"))[0]!.toJS();
const SPEC = tree("rook-ceph/rook-ceph-cluster/app/helmrelease.yaml").spec.values.cephClusterSpec;
const PATCH = tree("system-upgrade/tuppr/config/kustomization.yaml").patches[0].patch as string;
const HEALTH_CHECKS = (parse(PATCH) as { value: object[] }[])[0]!.value;
const MUTES = ["AUTH_INSECURE_CLIENT_KEY_TYPE", "AUTH_INSECURE_KEYS_ALLOWED", "AUTH_INSECURE_KEYS_CREATABLE"];

function put(state: ClusterState, resource: string, object: KubeObject): void {
  const { namespace = "", name } = object.metadata;
  const metadata = { generation: 1, uid: `${resource}/${name}`, ...object.metadata };
  state.objects[`${resource}/${namespace}/${name}`] = { at: 0, object: { ...object, metadata } };
}

const deployment = (state: ClusterState, name: string, namespace: string) =>
  put(state, "deployments.apps", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: { replicas: 1 },
    status: { observedGeneration: 1, readyReplicas: 1 },
  });

/** A home on v1.13.9 whose tree asks for `talos`, with this Ceph. */
function home(cephSpec: object, talos = "v1.13.10"): ClusterState {
  const state = freshCluster();
  deployment(state, "rook-ceph-operator", "rook-ceph");
  deployment(state, "tuppr", "system-upgrade");
  put(state, "cephclusters.ceph.rook.io", {
    apiVersion: "ceph.rook.io/v1",
    kind: "CephCluster",
    metadata: { name: "rook-ceph", namespace: "rook-ceph" },
    spec: cephSpec,
  });
  put(state, "nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "one" },
    status: { conditions: [{ type: "Ready", status: "True" }], nodeInfo: { osImage: "Talos (v1.13.9)", kubeletVersion: "v1.36.4" } },
  });
  const plan = tree("system-upgrade/tuppr/config/talosupgrade.yaml");
  put(state, "talosupgrades.tuppr.home-operations.com", {
    ...plan,
    spec: { ...plan.spec, talos: { version: talos }, healthChecks: HEALTH_CHECKS },
  });
  return state;
}

function settle(state: ClusterState, faulty = false): string[] {
  const said: string[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const steps = [...cephSteps(state, faulty), ...tupprSteps(state)];
    if (steps.length === 0) return said;
    for (const { what, apply } of steps) {
      said.push(what);
      apply(state, 0);
    }
  }
  throw new Error(`it never ends: ${said.slice(-3).join("; ")}`);
}
const phase = (state: ClusterState) => Object.values(state.objects).find(({ object }) => object.kind === "TalosUpgrade")!.object.status;
const ceph = (state: ClusterState) => Object.values(state.objects).find(({ object }) => object.kind === "CephCluster")!.object.status.ceph;
const without = (name: string) => {
  const { [name]: _gone, ...muteHealthWarning } = SPEC.healthCheck.muteHealthWarning;
  return { ...SPEC, healthCheck: { muteHealthWarning } };
};

describe("with the home's Ceph", () => {
  it("an upgrade starts: Ceph warns, the warnings are muted, and it is HEALTH_OK", () => {
    const state = home(SPEC);
    const said = settle(state);
    expect(said.filter((line) => line.startsWith("Ceph"))).toEqual([
      "CephCluster rook-ceph/rook-ceph is HEALTH_WARN",
      "CephCluster rook-ceph/rook-ceph is HEALTH_OK",
    ]);
    expect(Object.keys(ceph(state).details as object)).toEqual(MUTES);
    expect(phase(state)).toMatchObject({ phase: "Upgrading" });
  });
  it("nothing but these warnings is muted: another one holds the upgrade back", () => {
    expect(Object.keys(SPEC.healthCheck.muteHealthWarning as object)).toEqual(MUTES);
    expect(Object.keys(cephWarnings(SPEC, false))).toEqual(MUTES);
    const state = home(SPEC);
    settle(state, true);
    expect(ceph(state).health).toBe("HEALTH_WARN");
    expect(phase(state)).toMatchObject({
      phase: "HealthChecking",
      message: "Waiting for health checks: every copy of the data is in place",
    });
    settle(state);
    expect(phase(state)).toMatchObject({ phase: "Upgrading" });
  });
  it("a home that has the versions already is done without a check", () => {
    const state = home(SPEC, "v1.13.9");
    settle(state, true);
    expect(phase(state)).toMatchObject({ phase: "Completed" });
  });
});

it.each(MUTES)("without the mute of %s no upgrade starts", (name) => {
  const state = home(without(name));
  settle(state);
  expect(ceph(state).health).toBe("HEALTH_WARN");
  expect(phase(state)).toMatchObject({ phase: "HealthChecking" });
});

it("once every kernel knows aes256k, nothing is left to mute", () => {
  expect(cephWarnings({ security: { cephx: { allowedCiphers: ["aes256k"], csi: { keyType: "aes256k" } } } }, false)).toEqual({});
});
