// The resources of a node that `talosctl get` shows: the one list of their kinds, for whoever answers for a node.
import type { MachineState } from "./machines.ts";
import { BLOCK } from "./resources-block.ts";
import { KUBERNETES } from "./resources-kubernetes.ts";
import { MACHINE } from "./resources-machine.ts";
import { NETWORK } from "./resources-network.ts";
import type { World } from "../world.ts";

export interface Resource {
  id: string;
  spec: unknown;
}

export interface Kind {
  /** `Members.cluster.talos.dev`. */
  type: string;
  namespace: string;
  /** What a table calls it, and what `get` takes for it besides. */
  name: string;
  aliases: string[];
  /** Heads of a table's own columns, and the JSONPath of each in the spec. */
  columns: Record<string, string>;
  annotations?: Record<string, string>;
  /** Not shown to who only reads. */
  sensitive?: boolean;
  list(world: World, machine: MachineState): Resource[];
}

export const KINDS: Kind[] = [...MACHINE, ...BLOCK, ...NETWORK, ...KUBERNETES];

/** The kind of a type or an alias, in any case. */
export function kindOf(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return KINDS.find(({ type, aliases }) => type.toLowerCase() === wanted || aliases.includes(wanted));
}

/** When a resource came to be, as all of them say here. */
export const CREATED = "2026-01-01T00:00:00Z";
