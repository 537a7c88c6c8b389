// All nodes in one table; one that does not answer is a row, not an error.
import { main, procedure } from "../lib/run/procedure.ts";
import type { Cell } from "../lib/run/ui.ts";
import { toAct } from "../lib/run/to-act.ts";

const { readIfThere } = await toAct(() => import("../lib/run/files.ts"));
const { homeToRead } = await toAct(() => import("../lib/talos/node.ts"));
const { readSchematic } = await toAct(() => import("../lib/talos/schematic.ts"));
const { HEAD, notesOf, rowOf, statusOf } = await toAct(() => import("../lib/talos/status.ts"));
const { dueInDays, expiryOf, RENEW_DAYS } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { table } = await toAct(() => import("../lib/run/ui.ts"));

export const status = procedure({
  name: "talos:status",
  about: "show all nodes in one table",
  scope: "none",
  readOnly: true,
  options: {},
  async run(_values, context) {
    const { cluster, env, ui, versions } = context;
    const { home, unknown } = await homeToRead(context);
    const [nodes, { id }, text] = await Promise.all([
      Promise.all(cluster.nodes.map((node) => statusOf(home, node))),
      readSchematic(context),
      readIfThere(env.TALOSCONFIG!),
    ]);
    const days = dueInDays(await expiryOf(text ?? ""), Date.now());
    const wanted = { talos: versions.TALOS_VERSION, schematic: id };
    const certificate = [
      "talosconfig",
      undefined,
      days < RENEW_DAYS ? `expires in ${days} days: task talos:talosconfig` : `good for ${days} days`,
    ];
    const rows = nodes.map((node) => rowOf(node, wanted));
    const notes = [...notesOf(nodes), ...(unknown === undefined ? [] : [unknown])];
    ui.result(
      { nodes, wanted, talosconfig: { days, identity: unknown === undefined ? "proven" : "unknown" } },
      [table(HEAD, [...rows, certificate].map(padded)), ...notes].join("\n"),
    );
  },
});

/** A short row goes on with what `table` shows for "nothing". */
const padded = (row: Cell[]): Cell[] => HEAD.map((_, column) => row[column]);

await main(import.meta, status);
