// What a run has: the home it acts on, the terminal, the vault, the ledger, the report.
import type { Cluster } from "../cluster/cluster.ts";
import type { Versions } from "../cluster/versions.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Plan, Proposed } from "./plan.ts";
import type { Report } from "./report.ts";
import type { Ui } from "./ui.ts";

export interface Context {
  /** The folder that holds talos/cluster.yaml. */
  root: string;
  /** talos/cluster.yaml, read and found good. */
  cluster: Cluster;
  /** versions.env, overridden by the environment. */
  versions: Versions;
  ui: Ui;
  dryRun: boolean;
  /** The words of a command that this procedure runs; none for most. */
  rest: string[];
  /** Gates that the person waived by name (`WAIVE=hosts`). */
  waive: string[];
  /** Decides, shows, asks, and looks again when a person was asked; returns the plan to carry out. A plan without steps comes back without a question. */
  confirm<P extends Plan>(decide: () => Promise<P>): Promise<P>;
  /** Asks the procedure's gates about this part of the plan; throws when one forbids it. */
  checkGates(plan: Proposed): Promise<void>;
  /** The environment of every command, with the defaults of KUBECONFIG, TALOSCONFIG and SOPS_AGE_KEY_FILE. */
  env: NodeJS.ProcessEnv;
  /** One `op inject` per run answers for all references. */
  vault: Vault;
  ledger: Ledger;
  report: Report;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}
