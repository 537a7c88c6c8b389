// A value in the tree that differs from talos/cluster.yaml or versions.env.

export interface Disagreement {
  /** From the project's root. */
  file: string;
  /** Counted from 1. */
  line: number;
  /** The value's path in that file: spec.blocks[0].start */
  field: string;
  /** What stands there. */
  has: string;
  /** What the home says. */
  wants: string;
  /** Where it says so: network.gateways.from, or TALOS_VERSION */
  says: string;
  /** What to replace in the file's text, quotes included. */
  range: [start: number, end: number];
  /** With this, as it is; without it, with `wants` as YAML writes it. */
  text?: string;
}
