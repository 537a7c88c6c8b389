// Whether the cluster already has a living node at an address. A machine that answers there without a config is then a second one, or a node that was reset behind the cluster's back.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure, textOf } from "../run/errors.ts";
import { type Answer, askEtcd, silenceOf } from "./etcd.ts";
import { readIfThere } from "../run/files.ts";
import { condition, type KubernetesObject } from "../kubernetes/kubernetes.ts";
import { expectOurCluster } from "../kubernetes/access.ts";
import { readJson } from "../run/tool-output.ts";
import { inShort } from "./node.ts";

type Home = Pick<Context, "env" | "cluster" | "vault">;
type Place = Pick<Node, "name" | "address">;

/** `nodes`: what is known of the node at each address. `unknown`: why nobody could be asked; undefined when somebody answered, or when there is nobody to ask. */
export interface Known {
  nodes: Map<string, string>;
  unknown?: string;
}

/** Asks etcd through the other nodes, and Kubernetes where there is a kubeconfig of this cluster. */
export async function knownNodes(context: Home, others: readonly Place[]): Promise<Known> {
  const [etcd, kubernetes] = await Promise.all([askEtcd([...others], context.env.TALOSCONFIG!), askKubernetes(context)]);
  return combine(etcd, kubernetes);
}

/** The nodes as Kubernetes has them, why they could not be read, or undefined where there is no kubeconfig. */
export type Kubernetes = { nodes: Registered[] } | { unseen: string } | undefined;

export interface Registered extends Pick<KubernetesObject, "metadata"> {
  status?: KubernetesObject["status"] & { addresses?: { type: string; address: string }[] };
}

/** Members of etcd, which counts them also while they are down, and nodes that Kubernetes hears from. */
export function combine(etcd: Answer[], kubernetes: Kubernetes): Known {
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
  const unseen = [
    ...etcd.flatMap((answer) => (silenceOf(answer) === undefined ? [] : [`${answer.node}: ${inShort(silenceOf(answer)!)}`])),
    ...(kubernetes ? [`Kubernetes: ${kubernetes.unseen}`] : []),
  ];
  return unseen.length > 0 ? { nodes, unknown: unseen.join("; ") } : { nodes };
}

async function askKubernetes(context: Home): Promise<Kubernetes> {
  if ((await readIfThere(context.env.KUBECONFIG!)) === undefined) return undefined;
  try {
    const access = await expectOurCluster(context);
    const got = await access.ask({ timeout: "15s" })`kubectl get nodes --output json`.nothrow();
    if (got.exitCode !== 0) return { unseen: textOf(got).split("\n").at(-1)! };
    const source = { command: "kubectl get nodes --output json" };
    return { nodes: readJson<{ items: Registered[] }>(got.stdout, source, { items: [{ metadata: { name: "" } }] }).items };
  } catch (error) {
    if (error instanceof Failure) return { unseen: error.account.said ?? error.message };
    throw error;
  }
}
