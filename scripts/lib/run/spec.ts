// The spec of a procedure: its name, options, gates, scope and body.
import type { Context } from "./context.ts";
import type { Gate } from "./gates.ts";
import type { Options, Values } from "./options.ts";

export interface Procedure<O extends Options = Options> {
  /** `area:name`, the task's name, and the file's: scripts/area/name.ts. */
  name: string;
  /** One line, in the imperative. */
  about: string;
  options: O;
  /** It only reads: help offers no --dry-run and --yes. */
  readOnly?: true;
  /** It only reads, and reports changes that are pending (exit 2 with EXIT_CODE=1). */
  pending?: true;
  /** What it can destroy, for help and for `task --list`. */
  destroys?: string;
  /**
   * What it locks while it runs: the home (nodes, VMs, secrets, files of the repository), the app named by an option, or nothing (reads, interactive
   * shells). The default is the home. A dry run locks nothing.
   */
  scope?: "home" | "none" | { appOption: string };
  /** The safety checks that must pass; WAIVE= accepts only their names. */
  gates?: readonly Gate[];
  /** `false` for a procedure that runs without talos/cluster.yaml, such as `lab:up`; its context has no cluster. */
  cluster?: false;
  /** The state after Ctrl-C, if the same command does not resume from the observed state. */
  interrupted?: string;
  /** Started with `npm run <name>`: it is for the tests and not a target of Taskfile.yml. */
  npmScript?: true;
  /** For a procedure that runs another command: how help shows the command after its own flags. `context.rest` holds it. */
  rest?: string;
  /** Read → decide → show → confirm → look again → act → verify. */
  run(values: Values<O>, context: Context): Promise<void>;
}
