// Shows what talos:apply would change, and changes nothing.
import { findNodes } from "../lib/cluster/find.ts";
import { nodeNames } from "../lib/options.ts";
import { Failure, Stop } from "../lib/errors.ts";
import { main, procedure } from "../lib/procedure.ts";
import { expectTalosconfig } from "../lib/talos/node.ts";
import { card, hindrance, prospectOf } from "./apply.ts";

export const diff = procedure({
  name: "talos:diff",
  about: "show what talos:apply would change",
  options: { node: nodeNames() },
  async run({ node }, context) {
    await expectTalosconfig(context);
    const prospects = await Promise.all(findNodes(context.cluster, node).map((one) => prospectOf(context, one)));
    const seen = prospects.map((one) => {
      const blocked = hindrance(one);
      const lines = blocked.length ? blocked : one.changes?.length === 0 ? [`${one.node.name} (${one.node.address}), ${one.stage.stage}: no changes`] : card(one, "auto");
      return { node: one.node.name, stage: one.stage.stage, changes: one.changes ?? null, unseen: blocked.length > 0, lines };
    });
    context.ui.result(
      seen.map(({ lines: _, unseen: __, ...rest }) => rest),
      seen.flatMap(({ lines }) => lines).join("\n"),
    );
    const unseen = seen.filter((one) => one.unseen);
    if (unseen.length) throw new Failure({ attempted: `compare ${unseen.map((one) => one.node).join(", ")}`, said: "not every node could be asked", next: "task talos:status" });
    if (seen.some(({ changes }) => changes === null || changes.length > 0)) throw new Stop("changes are pending: task talos:apply", { pending: true });
  },
});

await main(import.meta, diff);
