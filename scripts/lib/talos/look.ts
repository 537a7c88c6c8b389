// Reads a machine without a config: whether it is the right node, what an install would destroy, and what the cluster knows about its address.
import { type Node, PLATFORM } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { configDocuments } from "./config-documents.ts";
import { identify, type Machine, wrongMachine } from "./identity.ts";
import type { Install } from "./install.ts";
import { knownNodes } from "./members.ts";
import type { Document } from "./merge.ts";
import type { NodeStage } from "./node.ts";

/** The machine to install on, or the node's stage if there is none: unreachable, or another machine at its address. */
export async function readMachine(context: Context, node: Node, config: string): Promise<{ machine: Machine } | { stage: NodeStage }> {
  const data = PLATFORM[context.cluster.hypervisor].dataDisk;
  const seen = await identify(context, node, { install: installDisk(await configDocuments(config)), data });
  if ("said" in seen) return { stage: { stage: seen.away ? "unreachable" : "foreign", said: seen.said } };
  const said = wrongMachine(seen, node, context.waive);
  return said === undefined ? { machine: seen } : { stage: { stage: "foreign", said } };
}

/** The disk that a config names; undefined where it selects one by its properties, in v1alpha1 or in a document of its own. */
export function installDisk(documents: readonly Document[]): string | undefined {
  const { machine } = (documents.find(({ kind }) => kind === undefined) ?? {}) as { machine?: { install?: { disk?: string } } };
  return documents.some(({ kind }) => kind === "UnattendedInstallConfig") ? undefined : machine?.install?.disk || undefined;
}

/** What the cluster knows of the address of each of these nodes. Nobody is asked where no machine waits. */
export async function knownAt(context: Context, fresh: readonly Node[]): Promise<(node: Node) => Pick<Install, "known" | "unasked">> {
  if (fresh.length === 0) return () => ({});
  const others = context.cluster.nodes.filter(({ name }) => !fresh.some((node) => node.name === name));
  const { nodes, unasked } = await knownNodes(context, others);
  return ({ address }) => ({ known: nodes.get(address), unasked });
}
