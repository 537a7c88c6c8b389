// Installs Talos on the nodes that booted the ISO, so that every node has a machine config. It never changes an existing config: talos:apply does, one node after the other.
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import { main } from "../lib/run/procedure.ts";
import { nicGate, stageOf } from "../lib/talos/node.ts";
import { type StageState, stage } from "../lib/bootstrap/stage.ts";
import type { NewNode, NodeConfig } from "../lib/talos/node-config.ts";
import { toAct } from "../lib/run/to-act.ts";

const { eachOf, forEachNode } = await toAct(() => import("../lib/run/at-once.ts"));
const { confirmationOf, installStep, installSteps, changedMachines } = await toAct(() => import("../lib/talos/install.ts"));
const { expectOurTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));
const { card, problemsOf, isNewNode, readNodeConfigs } = await toAct(() => import("../lib/talos/node-config.ts"));
const { sendConfig } = await toAct(() => import("../lib/talos/send-config.ts"));

/** The state of the stage. A node that does not answer is unknown. A running node with a different config is named, but does not block. */
export function seeConfigs(nodeConfigs: NodeConfig[]): StageState<NewNode[]> {
  const blocked = nodeConfigs.flatMap(absence);
  const seen = nodeConfigs.filter((one) => absence(one).length === 0);
  const waits = seen.length < nodeConfigs.length; // the stage installs nothing until every node answers, and then looks again
  const fresh = seen.filter(isNewNode).map((one) => (waits ? withoutSilence(one) : one));
  const other = seen.filter(({ changes }) => changes !== undefined && changes.length > 0).map(({ node }) => node.name);
  const configured = seen.length - fresh.length;
  const saw = `${configured} of ${nodeConfigs.length} nodes have a config${other.length ? `, ${other.join(", ")} another one than rendered (task talos:diff)` : ""}`;
  const todo = [
    ...fresh.flatMap((one) => card(one, "auto")),
    ...nodeConfigs
      .filter((one) => absence(one).length > 0)
      .map(
        ({ node }) => `${node.name} (${node.address}): wait until it answers; if it booted the ISO and its disks are blank, installs Talos`,
      ),
  ];
  const silent = nodeConfigs.filter((one) => absence(one).length > 0);
  const steps = [...fresh.flatMap(installSteps), ...silent.map(({ node }) => installStep(node.name))]; // also name a node that does not answer yet
  const destroys = confirmationOf(fresh);
  const facts = fresh;
  const plan = { todo, steps, facts, ...(destroys && { destroys }) };
  if (blocked.length) return { state: "unknown", saw: [saw, ...blocked].join("\n"), ...plan };
  if (todo.length === 0) return { state: "done", saw };
  return { state: configured > 0 ? "partly" : "to do", saw, ...plan };
}

/** The install without the doubt that silent nodes cause. */
function withoutSilence({ unasked, ...one }: NewNode): NewNode {
  if (unasked === undefined) return one;
  const { silent: _, ...rest } = unasked;
  return { ...one, unasked: rest };
}

/** Why the node's config is unknown. Whether a running node would accept this config does not matter here. */
const absence = ({ node, stage }: NodeConfig) => problemsOf({ node, stage });

export const configs = stage<NewNode[]>({
  name: "bootstrap:configs",
  about: "install Talos on the nodes that booted the ISO",
  gates: [nicGate],
  destroys: "what is on the disks of such a node",
  async observe(context) {
    await expectOurTalosconfig(context);
    return seeConfigs(await readNodeConfigs(context, context.cluster.nodes));
  },
  ready: answering,
  async act(context, { state, saw, facts = [] }, planned) {
    const changed = changedMachines(planned, facts);
    if (state === "unknown" || changed.length > 0) {
      const said = changed.length > 0 ? changed.join("\n") : saw;
      throw new Failure({ attempted: configs.about, said, now: "nothing was changed", next: "task talos:status" });
    }
    await forEachNode(
      context,
      facts,
      { attempted: configs.about, next: "task bootstrap:configs", nameOf: ({ node }) => node.name },
      (one) => sendConfig(context, one), // in parallel: none of them runs anything yet
    );
  },
});

/** A VM that has just been started needs a minute until Talos answers. */
async function answering(context: Context): Promise<void> {
  const { cluster, ui, signal } = context;
  await eachOf(cluster.nodes, (node) =>
    until(
      async () => {
        const seen = await stageOf(context, node);
        if (seen.stage === "foreign")
          throw new Failure({
            attempted: `configure ${node.name}`,
            said: problemsOf({ node, stage: seen }).join(),
            now: "nothing was sent to it",
            next: "task talos:status",
          });
        return seen.stage === "unreachable" ? { waiting: seen.said } : { ready: seen };
      },
      {
        for: `${node.name} (${node.address}) to answer`,
        seconds: 600,
        ui,
        signal,
        next: "look at the VM's console, then: task bootstrap:configs",
      },
    ),
  );
}

await main(import.meta, configs);
