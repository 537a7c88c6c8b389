// The context of a run: the home it acts on, the terminal, the vault, the ledger, the report.
import type { Cluster } from "../cluster/cluster.ts";
import type { Versions } from "../cluster/versions.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Releasable } from "./releasable.ts";
import type { Plan, Proposed } from "./plan.ts";
import type { Report } from "./report.ts";
import type { Ui } from "./ui.ts";

export interface Context {
  /** The folder that holds talos/cluster.yaml. */
  root: string;
  /** talos/cluster.yaml, read and validated. */
  cluster: Cluster;
  /** versions.env, overridden by the environment. */
  versions: Versions;
  ui: Ui;
  dryRun: boolean;
  /** The arguments of the command that this procedure runs; empty for most procedures. */
  rest: string[];
  /** Names of gates that the operator waived (`WAIVE=hosts`). */
  waive: string[];
  /** Decides, shows, asks, and decides again after an answer; returns the plan to carry out. A plan without steps is returned without a question. */
  confirm<P extends Plan>(decide: () => Promise<P>): Promise<P>;
  /** Asks the procedure's gates about this part of the plan; throws if one blocks it. */
  checkGates(plan: Proposed): Promise<void>;
  /** The environment of every command, with the defaults of KUBECONFIG, TALOSCONFIG and SOPS_AGE_KEY_FILE. */
  env: NodeJS.ProcessEnv;
  /** Resolves all references of a run with one `op inject`. */
  vault: Vault;
  ledger: Ledger;
  /** The reversible changes of the current scope: see hold.ts. */
  holds: Releasable[];
  report: Report;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}
