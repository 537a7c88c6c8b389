// Finds the node that the operator typed.
import { UsageError } from "../run/errors.ts";
import { nearest } from "../text/nearest.ts";
import type { Cluster, Node } from "./cluster.ts";

/** The node of that name, VM name or address. Throws a UsageError that names the valid ones. */
export function findNode({ nodes }: Pick<Cluster, "nodes">, typed: string): Node {
  const node = nodes.find(({ name, vm, address }) => [name, vm, address].includes(typed));
  if (node) return node;
  const names = nodes.map(({ name }) => name);
  const close = nearest(typed, names);
  throw new UsageError(`no node "${typed}" in talos/cluster.yaml: ${close ? `did you mean ${close}? ` : ""}nodes are ${names.join(", ")}`);
}

/** The named nodes, each once, in the order of cluster.yaml; all nodes when none is named. */
export function findNodes(cluster: Pick<Cluster, "nodes">, typed: readonly string[] | undefined): Node[] {
  if (typed === undefined) return cluster.nodes;
  const found = new Set(typed.map((name) => findNode(cluster, name)));
  return cluster.nodes.filter((node) => found.has(node));
}
