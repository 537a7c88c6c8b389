// Applies machine configs, after showing what would change: to nodes that booted the ISO all at once, to running ones one after the other.
import type { Node } from "../lib/cluster/cluster.ts";
import { Failure } from "../lib/run/errors.ts";
import { choice, nodeNames } from "../lib/run/options.ts";
import type { Plan, Step } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { isReady, nicGate } from "../lib/talos/node.ts";
import { MODES, type Mode } from "../lib/talos/apply-mode.ts";
import type { NodeConfig } from "../lib/talos/node-config.ts";
import { expectsVote, expectVote, quorumGate } from "../lib/talos/quorum.ts";
import { toAct } from "../lib/run/to-act.ts";

const { forEachNode, rolling } = await toAct(() => import("../lib/run/at-once.ts"));
const { bootOf, expectReboot } = await toAct(() => import("../lib/talos/boot.ts"));
const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { lineOf } = await toAct(() => import("../lib/talos/changes.ts"));
const { expectReady } = await toAct(() => import("../lib/talos/config-documents.ts"));
const { confirmationOf, installSteps } = await toAct(() => import("../lib/talos/install.ts"));
const { card, goesDown, problemsOf, hasChanges, isNewNode, readNodeConfigs, reboots } = await toAct(
  () => import("../lib/talos/node-config.ts"),
);
const { sendConfig } = await toAct(() => import("../lib/talos/send-config.ts"));
const { expectTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));

export const apply = procedure({
  name: "talos:apply",
  about: "apply a node's machine config, after showing what would change",
  destroys: "what is on the disks of a node that booted the ISO",
  gates: [quorumGate, nicGate],
  options: { node: nodeNames(), mode: choice("how the nodes apply it", MODES, "auto") },
  async run({ node, mode }, context) {
    const nodes = findNodes(context.cluster, node); // an unknown name is reported before anything is read
    await expectTalosconfig(context);
    const { nodeConfigs, unchanged, steps } = await context.confirm(async () =>
      planApply(await readNodeConfigs(context, nodes, mode), mode),
    );
    if (steps.length === 0) return unchanged.forEach(context.ui.say);
    const todo = nodeConfigs.filter(hasChanges);
    const work = { attempted: "apply machine configs", next: "task talos:apply" };
    await forEachNode(
      context,
      todo.filter(({ changes }) => !changes), // in maintenance mode: none of them runs anything yet
      { ...work, nameOf: (one) => one.node.name },
      (one) => sendConfig(context, one, mode),
    );
    await rolling(
      context,
      todo.filter(({ changes }) => changes),
      { ...work, takesDown: (one) => goesDown(one, mode) },
      async (one) => {
        const down = goesDown(one, mode);
        const votes = down && (await expectsVote(context, one.node));
        const boot = down ? await bootOf(context, one.node) : undefined;
        if (down && boot === undefined && isReady(one.stage)) throw unknownBoot(one.node);
        await sendConfig(context, one, mode);
        if (boot !== undefined) await expectReboot(context, one.node, boot); // it may hold the config already, and go down only now
        if (isReady(one.stage)) await expectReady(context, one.node);
        if (votes) await expectVote(context, one.node); // also a node that was not ready before: the next node's gate counts it
      },
    );
  },
});

/** Without its boot id nobody can tell a healthy node that has rebooted from one that is about to, and the next node would go down beside it. */
const unknownBoot = ({ name }: Node) =>
  new Failure({
    attempted: `read the boot id of ${name}, which shows that it has rebooted`,
    now: "nothing was sent to it",
    next: "task talos:status, then: task talos:apply",
  });

interface ApplyPlan extends Plan {
  nodeConfigs: NodeConfig[];
  /** A line for each node that has its config already. */
  unchanged: string[];
}

/** What is going to happen to each node; throws when one of them cannot be given a config. */
export function planApply(nodeConfigs: NodeConfig[], mode: Mode): ApplyPlan {
  const reasons = nodeConfigs.flatMap(problemsOf);
  if (reasons.length > 0)
    throw new Failure({
      attempted: "apply machine configs",
      said: reasons.join("\n"),
      now: "nothing was changed",
      next: hint(nodeConfigs),
    });
  const todo = nodeConfigs.filter(hasChanges);
  const destroys = confirmationOf(todo.filter(isNewNode));
  const unchanged = nodeConfigs.filter((one) => !hasChanges(one)).map(({ node }) => `${node.name} already has this config`);
  return {
    title: `talos:apply ${todo.map(({ node: { name } }) => name).join(", ")}`,
    lines: [...unchanged, ...todo.flatMap((one) => card(one, mode))],
    unchanged,
    steps: todo.flatMap((one) => stepsOf(one, mode)),
    takesDown: todo.filter((one) => goesDown(one, mode)).map(({ node }) => node),
    ...(destroys && { destroys }),
    nodeConfigs,
  };
}

function stepsOf(nodeConfig: NodeConfig, mode: Mode): Step[] {
  if (isNewNode(nodeConfig)) return installSteps(nodeConfig);
  const { changes = [], node } = nodeConfig;
  const target = node.name;
  const steps = changes.map((change) => ({ action: `${lineOf(change)} on`, target }));
  return reboots(nodeConfig, mode) ? [...steps, { action: "reboot", target }] : steps;
}

function hint(nodeConfigs: NodeConfig[]): string {
  const refused = nodeConfigs.flatMap(({ dryRun }) => (dryRun && "refuse" in dryRun ? [dryRun] : []));
  if (refused.some(({ older }) => older !== undefined))
    return "upgrade Talos first (docs/cluster.md, Upgrades of Talos and Kubernetes), then: task talos:apply";
  if (refused.some(({ refuse }) => /immediate mode/.test(refuse)))
    return "task talos:apply MODE=auto reboots for it, MODE=staged leaves it for the next reboot";
  return "task talos:status";
}

await main(import.meta, apply);
