// The controllers that every cluster has, as steps that are due at a time: nodes register, get ready, definitions are established, workloads come up.
import { isDeepStrictEqual } from "node:util";
import { chartAt } from "../charts/cluster-charts.ts";
import { isEstablished, kindNamed } from "./kinds.ts";
import { becomeAvailable, hindrance, isAvailable, releaseAt, runs, workloads } from "../charts/cluster-releases.ts";
import { digestOf, entriesOf, entryAt, setStatus, storeOf } from "./store.ts";
import type { Kubelet } from "../talos/machines.ts";
import type { ClusterState, Entry, KubeObject } from "./state.ts";

/** Something that the cluster will do by itself; `at` in milliseconds since the epoch. */
export interface Step {
  at: number;
  what: string;
  apply(state: ClusterState, now: number): void;
}

/** How long things take, in milliseconds. */
export const PACE = { register: 60, ready: 100, established: 20, workload: 60, operator: 30, source: 40, reconcile: 30, release: 40 };

export function nodeSteps(state: Readonly<ClusterState>, kubelets: Kubelet[], born: number): Step[] {
  const steps: Step[] = [];
  for (const kubelet of kubelets) {
    const entry = entryAt(state, "nodes", "", kubelet.name);
    if (!entry)
      steps.push({
        at: born + PACE.register,
        what: `node ${kubelet.name} registers`,
        apply: (state, now) => register(state, kubelet, now),
      });
    else if (entry.object.status?.nodeInfo?.kubeletVersion !== kubelet.kubelet)
      steps.push({ at: 0, what: `kubelet of ${kubelet.name} is another`, apply: (state, now) => register(state, kubelet, now) });
  }
  const cni = releaseAt(state, "kube-system", "cilium");
  const networked = cni?.status === "deployed";
  for (const { object, at } of entriesOf(state, "nodes")) {
    const { name } = object.metadata;
    const lives = kubelets.some((kubelet) => kubelet.name === name);
    const wanted = !lives ? "Unknown" : networked ? "True" : "False";
    const is = object.status?.conditions?.find(({ type }: any) => type === "Ready");
    if (is?.status === wanted) continue;
    const due = wanted === "True" ? Math.max(at, cni!.history[0]!.updated) + PACE.ready : at;
    steps.push({
      at: due,
      what: `node ${name} is ${wanted === "True" ? "Ready" : "NotReady"}`,
      apply: (state, now) => setReady(state, name, wanted, now),
    });
  }
  return steps;
}

const WORDS: Record<string, [reason: string, message: string]> = {
  True: ["KubeletReady", "kubelet is posting ready status"],
  False: [
    "KubeletNotReady",
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
  ],
  Unknown: ["NodeStatusUnknown", "Kubelet stopped posting node status."],
};

const readyCondition = (status: string) => ({ type: "Ready", status, reason: WORDS[status]![0], message: WORDS[status]![1] });

function setReady(state: ClusterState, name: string, status: string, now: number): void {
  const entry = entryAt(state, "nodes", "", name)!;
  const conditions = [...entry.object.status.conditions.filter(({ type }: any) => type !== "Ready"), readyCondition(status)];
  const had = entry.object.spec.taints ?? [];
  const taints = had.filter(({ key }: any) => key !== NOT_READY.key);
  if (status !== "True") taints.push(NOT_READY);
  if (!isDeepStrictEqual(taints, had))
    storeOf(state, now, NODES).patch(kindNamed(state, "v1", "Node")!, undefined, name, {
      spec: { taints: taints.length > 0 ? taints : null },
    });
  setStatus(state, entryAt(state, "nodes", "", name)!, { conditions }, NODES);
}

/** The node lifecycle controller is the controller manager's. */
const NODES = "kube-controller-manager";

const NOT_READY = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

function register(state: ClusterState, { name, address, kubelet, talos, labels, taints, controlPlane }: Kubelet, now: number): void {
  const own = Object.entries(taints).map(([key, value]) => ({
    key,
    effect: value.split(":").at(-1),
    ...(value.includes(":") && { value: value.split(":")[0] }),
  }));
  const node: KubeObject = {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...(controlPlane && { "node-role.kubernetes.io/control-plane": "" }),
        ...labels,
      },
    },
    spec: { taints: [...own, NOT_READY] },
  };
  const written = storeOf(state, now, "kubelet").apply(node);
  if ("error" in written) throw new Error(written.error);
  const entry = entryAt(state, "nodes", "", name)!;
  const other = [
    ["MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ].map(([type = "", reason, message]) => ({ type, status: "False", reason, message }));
  const status = {
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: name },
    ],
    conditions: [...other, readyCondition("False")],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: nodeInfoOf(name, kubelet, talos),
  };
  setStatus(state, entry, status, "kubelet");
}

/** All of it: the API server fills in what a kubelet leaves out. */
function nodeInfoOf(name: string, kubelet: string, talos: string) {
  const id = digestOf(name).slice(0, 32);
  return {
    architecture: "amd64",
    bootID: id,
    containerRuntimeVersion: "containerd://2.1.4",
    kernelVersion: "6.18.0-talos",
    kubeProxyVersion: "",
    kubeletVersion: kubelet,
    machineID: id,
    operatingSystem: "linux",
    osImage: `Talos (${talos})`,
    systemUUID: id,
  };
}

/** What the API server does by itself; a real one needs no help. */
export function definitionSteps(state: Readonly<ClusterState>): Step[] {
  if (state.outbox) return [];
  return entriesOf(state, "customresourcedefinitions.apiextensions.k8s.io")
    .filter((entry) => !isEstablished(entry))
    .map(({ at, object }) => {
      const { name } = object.metadata;
      return { at: at + PACE.established, what: `${name} is Established`, apply: (state) => establish(state, name) };
    });
}

export function workloadSteps(state: Readonly<ClusterState>): Step[] {
  const steps: Step[] = [];
  const nodes = entriesOf(state, "nodes").length;
  for (const entry of workloads(state)) {
    const { kind, metadata, status } = entry.object;
    const settled = isAvailable(entry) && (kind !== "DaemonSet" || status.desiredNumberScheduled === nodes);
    if (settled || hindrance(state, entry)) continue;
    steps.push({
      at: entry.at + PACE.workload,
      what: `${kind} ${metadata.namespace}/${metadata.name} is available`,
      apply: (state) => becomeAvailable(state, find(state, entry.object)),
    });
  }
  return [...steps, ...operatorSteps(state)];
}

const find = (state: ClusterState, { kind, metadata }: KubeObject): Entry =>
  entryAt(state, `${kind.toLowerCase()}s.apps`, metadata.namespace!, metadata.name)!;

function establish(state: ClusterState, name: string): void {
  const entry = entryAt(state, "customresourcedefinitions.apiextensions.k8s.io", "", name)!;
  const { names, versions } = entry.object.spec;
  const approval = entry.object.metadata.annotations?.["api-approved.kubernetes.io"];
  const status = {
    acceptedNames: names,
    conditions: [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
      { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" },
      ...(approval
        ? [
            {
              type: "KubernetesAPIApprovalPolicyConformant",
              status: "True",
              reason: "ApprovedAnnotation",
              message: `approved in ${approval}`,
            },
          ]
        : []),
    ],
    storedVersions: versions.filter(({ storage }: any) => storage).map(({ name }: any) => name),
  };
  setStatus(state, entry, status, "kube-apiserver");
}

/** Definitions that an operator makes by itself once it runs: Cilium's. */
function operatorSteps(state: Readonly<ClusterState>): Step[] {
  return Object.values(state.releases).flatMap(({ url, name, namespace, updated }) => {
    const crds = chartAt(url)?.madeByOperator ?? [];
    const missing = crds.filter(({ metadata }) => !entryAt(state, "customresourcedefinitions.apiextensions.k8s.io", "", metadata.name));
    if (missing.length === 0 || !runs(state, `Deployment/${name}-operator`, namespace)) return [];
    const apply = (state: ClusterState, now: number) => missing.forEach((crd) => void storeOf(state, now, `${name}-operator`).apply(crd));
    return [{ at: updated + PACE.operator, what: `${name}'s operator makes its definitions`, apply }];
  });
}
