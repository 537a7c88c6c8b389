// The shape of a kind of Talos resource.
import type { World } from "../world.ts";
import type { MachineState } from "./machine-state.ts";

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

/** When a resource came to be, as all of them say here. */
export const CREATED = "2026-01-01T00:00:00Z";
