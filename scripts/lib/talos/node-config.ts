// A node's config compared with the rendered one: what talos:apply would change on each node, and whether the node goes down for it.
import type { Node } from "../cluster/cluster.ts";
import { eachOf } from "../run/at-once.ts";
import type { Context } from "../run/context.ts";
import { type Change, changesBetween, foundations, lineOf, needReboot } from "./changes.ts";
import { configDocuments, readConfigDocuments } from "./config-documents.ts";
import { idFor, type Mode } from "./apply-mode.ts";
import type { Machine } from "./identity.ts";
import { type Install, installLines } from "./install.ts";
import { knownAt, readMachine } from "./look.ts";
import { type NodeStage, stageOf } from "./node.ts";
import { renderNode } from "./render.ts";
import { expectOurTalosconfig } from "./talosconfig.ts";
import { dryRunOn, type DryRun } from "./dry-run.ts";

/** A node and its config, before anything is changed. */
export interface NodeConfig {
  node: Node;
  stage: NodeStage;
  /** The config to send. Holds secrets. */
  config: string;
  /** Undefined for a node that has no config yet, or that cannot be asked. */
  changes?: Change[];
  /** The node's answer to a dry run; undefined if nothing would change, or the node cannot be asked. */
  dryRun?: DryRun;
  /** The machine to install on, when the node has no config yet. */
  machine?: Machine;
  known?: Install["known"];
  unasked?: Install["unasked"];
}

/** A node that booted the ISO, with the machine that answers for it. */
export type NewNode = NodeConfig & { machine: Machine };
export const isNewNode = (one: NodeConfig): one is NewNode => one.machine !== undefined;

/** Reads each node, and what the cluster knows about the addresses of machines without a config. */
export async function readNodeConfigs(context: Context, nodes: readonly Node[], mode: Mode = "auto"): Promise<NodeConfig[]> {
  const nodeConfigs = await eachOf(nodes, (one) => readNodeConfig(context, one, mode));
  const fresh = nodeConfigs.filter(isNewNode).map(({ node }) => node);
  const known = await knownAt(context, fresh);
  return nodeConfigs.map((one) => (isNewNode(one) ? { ...one, ...known(one.node) } : one));
}

/** Reads the node's stage and config, and renders the wanted config. */
async function readNodeConfig(context: Context, node: Node, mode: Mode = "auto"): Promise<NodeConfig> {
  await expectOurTalosconfig(context);
  const [stage, config] = await Promise.all([stageOf(context, node), renderNode(context, node)]);
  if (stage.stage === "maintenance") return { node, stage, config, ...(await readMachine(context, node, config)) };
  if (stage.stage !== "running" && stage.stage !== "booting") return { node, stage, config };
  const [held, wanted] = await Promise.all([readConfigDocuments(context, node, idFor(mode)), configDocuments(config)]);
  let changes = changesBetween(held, wanted);
  if (changes.length === 0 && mode !== "staged" && mode !== "try") {
    // the active config may be a trial (MODE=try), which is not on the disk yet
    changes = changesBetween(await readConfigDocuments(context, node, "persistent"), wanted);
  }
  return { node, stage, config, changes, ...(changes.length > 0 && { dryRun: await dryRunOn(context, node, config, mode) }) };
}

export const hasChanges = ({ changes }: Pick<NodeConfig, "changes">) => changes === undefined || changes.length > 0;

/** Why this node cannot get a config; empty if it can. */
export function problemsOf({ node, stage, dryRun }: Pick<NodeConfig, "node" | "stage" | "dryRun">): string[] {
  const who = `${node.name} (${node.address})`;
  if (stage.stage === "unreachable") return [`${who} does not answer: ${stage.said}`];
  if (stage.stage === "foreign") return [`${who} is not ours to configure: ${stage.said}`];
  if (!dryRun || !("refuse" in dryRun)) return [];
  if (dryRun.older !== undefined) return [`${who} runs Talos ${dryRun.older}, which is too old for this config: ${dryRun.refuse}`];
  return [`${who} refuses this config: ${dryRun.refuse}`];
}

/** The plan for one node: what happens to it, then the values that are removed, changed and added. */
export function card(nodeConfig: NodeConfig, mode: Mode): string[] {
  if (isNewNode(nodeConfig)) return installLines(nodeConfig);
  const { node, stage, changes = [], dryRun } = nodeConfig;
  const who = `${node.name} (${node.address}), ${stage.stage}`;
  return [
    `${who}: ${changes.length} ${changes.length === 1 ? "change" : "changes"}, ${outcome(changes, dryRun, mode)}`,
    ...foundations(changes).map(
      (path) => `  careful: a running cluster was built with ${path}; it does not take over another one by itself`,
    ),
    ...changes.map((change) => `  ${lineOf(change)}`),
  ];
}

function outcome(changes: Change[], dryRun: DryRun | undefined, mode: Mode): string {
  if (mode === "staged") return "taken into use at its next reboot";
  const [first, ...more] = new Set(needReboot(changes).map(({ path }) => path));
  if (!reboots({ changes, dryRun }, mode)) return mode === "try" ? "no reboot, taken back after a minute" : "no reboot";
  const why = first === undefined || mode === "reboot" ? "" : ` for ${first}${more.length > 0 ? ` and ${more.length} more` : ""}`;
  return `reboots${why}, and is not drained before (MODE=staged leaves that to you)`;
}

/** Whether the node goes down: by its own answer, or by the rules of Talos 1.13 if it was not asked. */
export function reboots({ changes = [], dryRun }: Pick<NodeConfig, "changes" | "dryRun">, mode: Mode): boolean {
  if (dryRun && "reboots" in dryRun) return dryRun.reboots;
  return mode === "reboot" || (mode === "auto" && needReboot(changes).length > 0);
}

/** A node with a config that this reboots. One that is not ready, or still boots, counts too: its etcd may vote while something else of it is broken. */
export const goesDown = (nodeConfig: NodeConfig, mode: Mode) =>
  nodeConfig.changes !== undefined && hasChanges(nodeConfig) && reboots(nodeConfig, mode);
