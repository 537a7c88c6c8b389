// Whether etcd keeps its quorum while a control plane reboots: Talos 1.13 does not look, so it is looked at here.
import { eachOf } from "../run/at-once.ts";
import type { Gate } from "../run/gates.ts";
import { isReady, stageOf } from "./node.ts";

/** Every control plane is asked now: a node that went down while a question was open counts as down. */
export const quorumGate: Gate = {
  name: "quorum",
  about: "etcd keeps its quorum while a node is down",
  async look(context, { takesDown = [] }) {
    if (takesDown.length === 0) return undefined;
    const { nodes } = context.cluster;
    const stages = await eachOf(nodes, (node) => stageOf(context, node));
    const ready = nodes.filter((_, index) => isReady(stages[index]!)).map(({ name }) => name);
    const gaps = takesDown.flatMap(({ name }) => quorumGap(name, nodes.length, ready) ?? []);
    return gaps.length > 0 ? { state: "bad", saw: gaps.join("\n") } : { state: "ok", saw: `${ready.length} of ${nodes.length} are ready` };
  },
};

/** More than half of all must stay; a cluster of one has nobody to stay, and one of two none to spare, so there it is only said that the API goes away. */
export function quorumGap(name: string, total: number, ready: readonly string[]): string | undefined {
  const staying = ready.filter((other) => other !== name).length;
  const needed = Math.floor(total / 2) + 1;
  if (total < 3 || staying >= needed) return undefined;
  return `${name} would reboot while ${staying} of the other ${total - 1} control planes ${staying === 1 ? "is" : "are"} ready: etcd needs ${needed} to stay`;
}
