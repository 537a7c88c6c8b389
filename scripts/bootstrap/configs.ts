// Every node has its machine config: installs Talos on nodes that booted the ISO, leaves a node alone that holds what it should.
import type { Context } from "../lib/context.ts";
import { Failure } from "../lib/errors.ts";
import { main } from "../lib/procedure.ts";
import { stageOf } from "../lib/talos/node.ts";
import { expectTalosconfig } from "../lib/talos/talosconfig.ts";
import { type Seen, stage } from "../lib/stage.ts";
import { until } from "../lib/wait.ts";
import { applyNode, card, hindrance, type Prospect, prospectOf } from "../talos/apply.ts";

/** What the nodes' prospects come to. A node that does not answer is unknown; one that has another config is changed only by its own command. */
export function seeConfigs(prospects: Prospect[]): Seen {
  const blocked = prospects.flatMap(hindrance);
  const held = prospects.filter(({ changes }) => changes?.length === 0).length;
  const differing = prospects.filter(({ changes }) => changes !== undefined && changes.length > 0);
  const saw = `${held} of ${prospects.length} nodes hold their config`;
  if (blocked.length) return { state: "unknown", saw: [saw, ...blocked].join("\n"), todo: [`wait for ${blocked.length} of ${prospects.length} nodes to answer, then apply their configs`] };
  const todo = prospects.filter(({ changes }) => changes === undefined || changes.length > 0).flatMap((one) => card(one, "auto"));
  if (todo.length === 0) return { state: "done", saw };
  const other = differing.length ? `, ${differing.map(({ node }) => node.name).join(", ")} another one` : "";
  return { state: held > 0 || differing.length ? "partly" : "to do", saw: `${saw}${other}`, todo };
}

const prospects = (context: Context) => Promise.all(context.cluster.nodes.map((node) => prospectOf(context, node)));

export const configs = stage({
  name: "bootstrap:configs",
  about: "apply every node's machine config",
  async observe(context) {
    await expectTalosconfig(context);
    return seeConfigs(await prospects(context));
  },
  async act(context) {
    await answering(context);
    const todo = (await prospects(context)).filter(({ changes }) => changes === undefined || changes.length > 0);
    await Promise.all(todo.map((one) => applyNode(context, one)));
  },
});

/** A VM that was started a moment ago needs a minute until Talos answers. */
async function answering(context: Context): Promise<void> {
  const { cluster, ui, signal } = context;
  await Promise.all(
    cluster.nodes.map((node) =>
      until(
        async () => {
          const seen = await stageOf(context, node);
          if (seen.stage === "foreign") throw new Failure({ attempted: `configure ${node.name}`, said: hindrance({ node, stage: seen }).join(), now: "nothing was sent to it", next: "task talos:status" });
          return seen.stage === "unreachable" ? { waiting: seen.said } : { ready: seen };
        },
        { for: `${node.name} (${node.address}) to answer`, seconds: 600, ui, signal, next: "look at the VM's console, then: task bootstrap:configs" },
      ),
    ),
  );
}

await main(import.meta, configs);
