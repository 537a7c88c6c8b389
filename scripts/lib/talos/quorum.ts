// Whether etcd keeps its quorum while a control plane reboots: Talos 1.13 does not look, so it is looked at here.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../context.ts";
import { isReady, type Stage, stageOf } from "./node.ts";

/** Why none of these nodes, all of them up and ready, may reboot now; nothing when each may, one after the other. */
export async function quorumHindrance(
  context: Pick<Context, "env" | "cluster">,
  going: readonly { node: Node; stage: Stage }[],
): Promise<string[]> {
  if (going.length === 0) return [];
  const { nodes } = context.cluster;
  const stages = await Promise.all(nodes.map(async (node) => going.find((one) => one.node === node)?.stage ?? stageOf(context, node)));
  const ready = nodes.filter((_, index) => isReady(stages[index]!)).map(({ name }) => name);
  return going.flatMap(({ node }) => quorumGap(node.name, nodes.length, ready) ?? []);
}

/** More than half of all must stay; a cluster of one has nobody to stay, and one of two none to spare, so there it is only said that the API goes away. */
export function quorumGap(name: string, total: number, ready: readonly string[]): string | undefined {
  const staying = ready.filter((other) => other !== name).length;
  const needed = Math.floor(total / 2) + 1;
  if (total < 3 || staying >= needed) return undefined;
  return `${name} would reboot while ${staying} of the other ${total - 1} control planes ${staying === 1 ? "is" : "are"} ready: etcd needs ${needed} to stay`;
}
