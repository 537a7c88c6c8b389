// The spec of a procedure: its name, options, gates, scope, and what it does.
import type { Context } from "./context.ts";
import type { Gate } from "./gates.ts";
import type { Options, Values } from "./options.ts";

export interface Procedure<O extends Options = Options> {
  /** `area:name`, the task's name, and the file's: scripts/area/name.ts. */
  name: string;
  /** One line, in the imperative. */
  about: string;
  options: O;
  /** What it can destroy, for help and for `task --list`. */
  destroys?: string;
  /**
   * What it locks while it runs: the home (nodes, VMs, secrets, files of the repository), the app that an option names, or nothing (reads, interactive
   * shells). The home when left out. A dry run locks nothing.
   */
  scope?: "home" | "none" | { appOption: string };
  /** The safety checks that must allow its plan; WAIVE= takes their names and no others. */
  gates?: readonly Gate[];
  /** `false` for what runs without a talos/cluster.yaml, as `lab:up`; its context must not be asked for the cluster. */
  cluster?: false;
  /** The state after Ctrl-C, if it is not that the same command resumes from the observed state. */
  interrupted?: string;
  /** Started with `npm run <name>`: it serves the tests and is not a target of Taskfile.yml. */
  npmScript?: true;
  /** For what runs another command: what stands after its own flags, as help shows it; the words are `context.rest`. */
  rest?: string;
  /** Read → decide → show → confirm → look again → act → verify. */
  run(values: Values<O>, context: Context): Promise<void>;
}
