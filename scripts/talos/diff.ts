// Shows what talos:apply would change, and changes nothing.
import { Failure, Stop } from "../lib/run/errors.ts";
import { nodeNames } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { NodeConfig } from "../lib/talos/node-config.ts";
import { toAct } from "../lib/run/to-act.ts";

const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { expectTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { card, problemsOf, hasChanges, readNodeConfigs } = await toAct(() => import("../lib/talos/node-config.ts"));

export const diff = procedure({
  name: "talos:diff",
  about: "show what talos:apply would change",
  scope: "none",
  readOnly: true,
  pending: true,
  options: { node: nodeNames() },
  async run({ node }, context) {
    const nodes = findNodes(context.cluster, node);
    await expectTalosconfig(context);
    const nodeConfigs = await readNodeConfigs(context, nodes);
    context.ui.result(nodeConfigs.map(forMachines), nodeConfigs.flatMap(forPeople).join("\n"));
    const unseen = nodeConfigs.filter((one) => one.changes === undefined && problemsOf(one).length > 0).map((one) => one.node.name);
    if (unseen.length > 0)
      throw new Failure({ attempted: `compare ${unseen.join(", ")}`, said: "not every node could be asked", next: "task talos:status" });
    if (nodeConfigs.some(hasChanges)) throw new Stop("changes are pending: task talos:apply", { pending: true });
  },
});

/** Without the config, which holds secrets. */
const forMachines = ({ node, stage, changes, dryRun, machine }: NodeConfig) => ({
  node: node.name,
  ...stage,
  changes: changes ?? null,
  ...(dryRun && { dryRun }),
  ...(machine && { machine }),
});

function forPeople(nodeConfig: NodeConfig): string[] {
  const { node, stage, changes } = nodeConfig;
  if (changes?.length === 0) return [`${node.name} (${node.address}), ${stage.stage}: no changes`];
  const blocked = problemsOf(nodeConfig);
  return changes === undefined && blocked.length > 0 ? blocked : [...card(nodeConfig, "auto"), ...blocked.map((line) => `  ${line}`)];
}

await main(import.meta, diff);
