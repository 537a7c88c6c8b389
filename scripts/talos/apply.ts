// Applies a node's rendered machine config, after showing what would change.
import { isDeepStrictEqual } from "node:util";
import { findNodes } from "../lib/cluster/find.ts";
import type { Node } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/context.ts";
import { Failure, textOf } from "../lib/errors.ts";
import { choice, nodeNames } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { type Change, changesBetween, lineOf, needReboot } from "../lib/talos/changes.ts";
import { at, configDocuments, expectTalosconfig, heldConfig, type Stage, stageOf } from "../lib/talos/node.ts";
import { renderNode } from "../lib/talos/render.ts";
import { until } from "../lib/wait.ts";

export const MODES = ["auto", "no-reboot", "reboot", "staged", "try"] as const;
export type Mode = (typeof MODES)[number];

/** What is known of a node and its config before anything is done. */
export interface Prospect {
  node: Node;
  stage: Stage;
  /** The config to send. Holds secrets. */
  config: string;
  /** Undefined for a node that has no config yet, or that cannot be asked. */
  changes?: Change[];
}

export const apply = procedure({
  name: "talos:apply",
  about: "apply a node's machine config, after showing what would change",
  options: { node: nodeNames(), mode: choice("how", MODES, "auto") },
  async run({ node, mode }, context) {
    const { cluster, ui } = context;
    await expectTalosconfig(context);
    const prospects = await Promise.all(findNodes(cluster, node).map((one) => prospectOf(context, one)));
    const blocked = prospects.flatMap(hindrance);
    if (blocked.length) throw new Failure({ attempted: "apply machine configs", said: blocked.join("\n"), now: "nothing was changed", next: "task talos:status" });
    const todo = prospects.filter(({ changes }) => changes === undefined || changes.length > 0);
    for (const { node: same } of prospects.filter((one) => !todo.includes(one))) ui.say(`${same.name} already has this config`);
    if (todo.length === 0) return;
    await ui.confirm({ title: `talos:apply ${todo.map(({ node: { name } }) => name).join(", ")}`, lines: todo.flatMap((one) => card(one, mode)) });
    for (const one of todo) await applyNode(context, one, mode); // one after the other: a mistake reaches one node, not all
  },
});

/** Asks the node for its stage and its config, and renders what it should have. */
export async function prospectOf(context: Context, node: Node): Promise<Prospect> {
  const [stage, config] = await Promise.all([stageOf(context, node), renderNode(context, node)]);
  if (stage.stage !== "running" && stage.stage !== "booting") return { node, stage, config };
  const [held, wanted] = await Promise.all([heldConfig(context, node).then(configDocuments), configDocuments(config)]);
  return { node, stage, config, changes: changesBetween(held, wanted) };
}

/** Why this node cannot be given a config; nothing when it can. */
export function hindrance({ node, stage }: Pick<Prospect, "node" | "stage">): string[] {
  if (stage.stage === "unreachable") return [`${node.name} (${node.address}) does not answer: ${stage.said}`];
  if (stage.stage === "foreign") return [`${node.name} (${node.address}) belongs to another cluster, or $TALOSCONFIG does: ${stage.said}`];
  return [];
}

/** The plan for one node: what happens to it, what goes away first. */
export function card({ node, stage, changes }: Prospect, mode: Mode): string[] {
  if (changes === undefined) return [`${node.name} (${node.address}), ${stage.stage}: installs Talos on its system disk and reboots`];
  const rebooting = needReboot(changes);
  const then =
    mode === "staged" ? "waits for the next reboot" : mode === "reboot" ? "reboots" : rebooting.length === 0 ? "no reboot" : mode === "no-reboot" ? "is refused: it needs a reboot" : `reboots, for ${rebooting[0]!.path}${rebooting.length > 1 ? ` and ${rebooting.length - 1} more` : ""}`;
  return [`${node.name} (${node.address}), ${stage.stage}: ${changes.length} ${changes.length === 1 ? "change" : "changes"}, ${then}`, ...changes.map((change) => `  ${lineOf(change)}`)];
}

/** Sends the config and waits until the node says that it holds what was sent. */
export async function applyNode(context: Context, { node, stage, config }: Prospect, mode: Mode = "auto"): Promise<void> {
  const { ui, env } = context;
  const how = stage.stage === "maintenance" ? ["--talosconfig", env.TALOSCONFIG!, "--nodes", node.address, "--insecure"] : [...at(context, node), "--mode", mode];
  ui.progress(`applying the machine config of ${node.name}`);
  const sent = await $({ input: config, timeout: "2m" })`cat | talosctl apply-config ${how} --file /dev/stdin`.nothrow();
  if (sent.exitCode !== 0) throw new Failure({ attempted: `apply the machine config of ${node.name}`, said: textOf(sent), next: `task talos:status, then: task talos:apply NODE=${node.name}` });
  await expectConfig(context, node, config, mode === "staged" ? "persistent" : "v1alpha1");
  ui.say(`${node.name} holds the config${mode === "staged" ? " for its next boot" : ""}`);
}

/** True only when the node says so: after an install or a reboot it takes minutes until it can. */
export async function expectConfig(context: Context, node: Node, config: string, id: "v1alpha1" | "persistent" = "v1alpha1"): Promise<void> {
  const wanted = await configDocuments(config);
  await until(
    async () => {
      const held = await heldConfig(context, node, id).then(configDocuments, (error: unknown) => textOf(error));
      if (typeof held === "string") return { waiting: held };
      return isDeepStrictEqual(held, wanted) ? { ready: true } : { waiting: `it holds another config: ${changesBetween(held, wanted).slice(0, 3).map(lineOf).join("; ")}` };
    },
    { for: `${node.name} to hold its config`, seconds: 900, ui: context.ui, signal: context.signal, next: `task talos:diff NODE=${node.name}` },
  );
}

await main(import.meta, apply);
