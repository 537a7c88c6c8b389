// The resources of a node that `talosctl get` shows: the one list of their kinds, for whoever answers for a node.
import { BLOCK } from "./resources-block.ts";
import { KUBERNETES } from "./resources-kubernetes.ts";
import { MACHINE } from "./resources-machine.ts";
import { NETWORK } from "./resources-network.ts";
import type { Kind } from "./resource-kind.ts";

export const KINDS: Kind[] = [...MACHINE, ...BLOCK, ...NETWORK, ...KUBERNETES];

/** The kind of a type or an alias, in any case. */
export function kindOf(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return KINDS.find(({ type, aliases }) => type.toLowerCase() === wanted || aliases.includes(wanted));
}
