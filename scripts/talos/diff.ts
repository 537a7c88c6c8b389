// Shows what talos:apply would change, and changes nothing.
import { Failure, Stop } from "../lib/run/errors.ts";
import { nodeNames } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { Prospect } from "./apply.ts";
import { toAct } from "../lib/run/to-act.ts";

const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { expectTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { card, hindrance, isDue, prospectsOf } = await toAct(() => import("./apply.ts"));

export const diff = procedure({
  name: "talos:diff",
  about: "show what talos:apply would change",
  scope: "none",
  options: { node: nodeNames() },
  async run({ node }, context) {
    const nodes = findNodes(context.cluster, node);
    await expectTalosconfig(context);
    const prospects = await prospectsOf(context, nodes);
    context.ui.result(prospects.map(forMachines), prospects.flatMap(forPeople).join("\n"));
    const unseen = prospects.filter((one) => one.changes === undefined && hindrance(one).length > 0).map((one) => one.node.name);
    if (unseen.length > 0)
      throw new Failure({ attempted: `compare ${unseen.join(", ")}`, said: "not every node could be asked", next: "task talos:status" });
    if (prospects.some(isDue)) throw new Stop("changes are pending: task talos:apply", { pending: true });
  },
});

/** Without the config, which holds secrets. */
const forMachines = ({ node, stage, changes, would, machine }: Prospect) => ({
  node: node.name,
  ...stage,
  changes: changes ?? null,
  ...(would && { would }),
  ...(machine && { machine }),
});

function forPeople(prospect: Prospect): string[] {
  const { node, stage, changes } = prospect;
  if (changes?.length === 0) return [`${node.name} (${node.address}), ${stage.stage}: no changes`];
  const blocked = hindrance(prospect);
  return changes === undefined && blocked.length > 0 ? blocked : [...card(prospect, "auto"), ...blocked.map((line) => `  ${line}`)];
}

await main(import.meta, diff);
