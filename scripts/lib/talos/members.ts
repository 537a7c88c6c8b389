// Whether the cluster already has a living node at an address. A machine without a config at that address is then a second machine, or a node that was reset without the cluster's knowledge.
import type { Node } from "../cluster/cluster.ts";
import { Failure, textOf } from "../run/errors.ts";
import { type EtcdView, askEtcd, noAnswerOf } from "./etcd.ts";
import { readIfThere } from "../run/files.ts";
import { condition, type KubernetesObject } from "../kubernetes/kubernetes.ts";
import { type ClusterAccess, expectOurCluster } from "../kubernetes/access.ts";
import { eachOf } from "../run/at-once.ts";
import { readJson, Unreadable } from "../run/tool-output.ts";
import { type Home, shortened, type NodeStage, stageOf } from "./node.ts";

type Place = Pick<Node, "name" | "address">;

export interface Known {
  /** What the cluster knows about the node at each address. */
  nodes: Map<string, string>;
  /** Nobody could tell. Undefined when etcd or Kubernetes answered, and where nobody can know: no other node has a config. */
  unasked?: Unasked;
}

export interface Unasked {
  /** Each system that was asked, and why it did not answer. */
  why: string;
  /** What proves that a cluster exists. Undefined if there is no sign of one, as during a first bootstrap. */
  cluster?: string;
  /** The names of the other nodes that do not answer, so that a cluster of them is possible. */
  silent?: string[];
}

/** Asks etcd through the other nodes, and Kubernetes if there is a kubeconfig of this cluster. */
export async function knownNodes(context: Home, others: readonly Place[]): Promise<Known> {
  const [etcd, kubernetes] = await Promise.all([askEtcd(context, others), askKubernetes(context)]);
  const silent = others.filter(({ name }) => etcd.some((answer) => answer.node === name && "unseen" in answer));
  const stages = await eachOf(silent, async (node) => [node.name, await stageOf(context, node)] as const);
  return combine(etcd, kubernetes, new Map(stages));
}

/** The nodes as Kubernetes has them, why they could not be read, why the kubeconfig does not lead to this cluster, or undefined where there is none. */
export type Kubernetes = { nodes: Registered[] } | { unseen: string } | { stranger: string } | undefined;

export interface Registered extends Pick<KubernetesObject, "metadata"> {
  status?: KubernetesObject["status"] & { addresses?: { type: string; address: string }[] };
}

/** Members of etcd, which counts them also while they are down, and nodes that Kubernetes hears from. */
export function combine(etcd: EtcdView[], kubernetes: Kubernetes, stages: ReadonlyMap<string, NodeStage> = new Map()): Known {
  const nodes = new Map<string, string>();
  for (const node of kubernetes && "nodes" in kubernetes ? kubernetes.nodes : []) {
    if (condition(node as KubernetesObject, "Ready")?.status !== "True") continue;
    for (const { type, address } of node.status?.addresses ?? [])
      if (type === "InternalIP") nodes.set(address, `Kubernetes has it as node ${node.metadata.name}, Ready`);
  }
  const lists = etcd.flatMap((answer) => ("members" in answer ? [answer.members] : []));
  for (const { hostname, addresses = [] } of lists.flat())
    for (const address of addresses) nodes.set(address, `etcd counts it as member ${hostname || "without a name"}`);
  if (lists.length > 0 || (kubernetes && "nodes" in kubernetes)) return { nodes };
  const why = [
    ...etcd.flatMap((answer) => (noAnswerOf(answer) === undefined ? [] : [`${answer.node}: ${shortened(noAnswerOf(answer)!)}`])),
    ...(kubernetes ? [`Kubernetes: ${"unseen" in kubernetes ? kubernetes.unseen : kubernetes.stranger}`] : []),
  ];
  if (why.length === 0) return { nodes };
  const cluster = evidenceOf(etcd, kubernetes, stages);
  if (cluster !== undefined) return { nodes, unasked: { why: why.join("; "), cluster } };
  const silent = etcd.flatMap(({ node }) => (stages.get(node)?.stage === "unreachable" ? [node] : []));
  return { nodes, unasked: { why: why.join("; "), ...(silent.length > 0 && { silent }) } };
}

/** What proves that the cluster exists although it does not answer. A node that is off or boots the ISO proves nothing: there may be no cluster yet. */
function evidenceOf(etcd: EtcdView[], kubernetes: Kubernetes, stages: ReadonlyMap<string, NodeStage>): string | undefined {
  for (const answer of etcd) {
    if ("stopped" in answer) return `${answer.node} has etcd's data`;
    const stage = "unseen" in answer ? stages.get(answer.node)?.stage : undefined;
    if (stage === "running" || stage === "booting") return `${answer.node} runs with a config of this cluster`;
    if (stage === "foreign") return `${answer.node} has a config, of this cluster or of another`;
  }
  return kubernetes && "unseen" in kubernetes ? "$KUBECONFIG is this cluster's" : undefined;
}

async function askKubernetes(context: Home): Promise<Kubernetes> {
  if ((await readIfThere(context.env.KUBECONFIG!)) === undefined) return undefined;
  try {
    const access = await expectOurCluster(context);
    return await askNodes(access);
  } catch (error) {
    if (error instanceof Failure) return { stranger: error.account.said ?? error.message };
    throw error;
  }
}

async function askNodes(access: ClusterAccess): Promise<Kubernetes> {
  const command = "kubectl get nodes --output json";
  const got = await access.ask({ timeout: "15s" })`kubectl get nodes --output json`.nothrow();
  if (got.exitCode !== 0) return { unseen: textOf(got).split("\n").at(-1)! };
  try {
    return { nodes: readJson<{ items: Registered[] }>(got.stdout, { command }, { items: [{ metadata: { name: "" } }] }).items };
  } catch (error) {
    if (error instanceof Unreadable) return { unseen: error.message };
    throw error;
  }
}
