// All nodes in one table; one that does not answer is a row, not an error.
import { readIfThere } from "../lib/files.ts";
import { askEtcd } from "../lib/etcd.ts";
import type { Node } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/context.ts";
import { main, procedure } from "../lib/procedure.ts";
import { ask } from "../lib/shell.ts";
import { expectTalosconfig, jsonStream, at } from "../lib/talos/node.ts";
import { readSchematic } from "../lib/talos/schematic.ts";
import { dueInDays, expiryOf, RENEW_DAYS } from "../lib/talos/talosconfig.ts";
import { textOf } from "../lib/errors.ts";
import { table } from "../lib/ui.ts";
import { prospectOf } from "./apply.ts";

export interface NodeRow {
  node: string;
  address: string;
  stage: string;
  talos: string;
  schematic: string;
  etcd: string;
  config: string;
}

export const status = procedure({
  name: "talos:status",
  about: "show all nodes in one table",
  options: {},
  async run(_values, context) {
    const { cluster, env, ui } = context;
    await expectTalosconfig(context);
    const [rows, expiry] = await Promise.all([Promise.all(cluster.nodes.map((node) => look(context, node))), readIfThere(env.TALOSCONFIG!).then((text) => expiryOf(text ?? ""))]);
    const days = dueInDays(expiry, Date.now());
    const certificate = `talosconfig: its certificate lasts ${days} days${days < RENEW_DAYS ? "; renew it: task talos:talosconfig" : ""}`;
    const heads = ["node", "address", "stage", "talos", "schematic", "etcd", "config"] as const;
    ui.result({ nodes: rows, talosconfigDays: days }, [table([...heads], rows.map((row) => heads.map((head) => row[head]))), certificate].join("\n"));
  },
});

async function look(context: Context, node: Node): Promise<NodeRow> {
  const row = { node: node.name, address: node.address, talos: "-", schematic: "-", etcd: "-", config: "-" };
  const { stage, changes } = await prospectOf(context, node).catch((error: unknown) => ({ stage: { stage: "unreachable" as const, said: textOf(error) }, changes: undefined }));
  if (stage.stage === "maintenance") return { ...row, stage: "maintenance" };
  if (stage.stage === "unreachable" || stage.stage === "foreign") return { ...row, stage: `${stage.stage}: ${stage.said.split("\n").at(-1)!.slice(-60)}` };
  const [talos, schematic, [etcd]] = await Promise.all([talosOf(context, node), schematicOf(context, node), askEtcd([node], context.env.TALOSCONFIG!)]);
  return {
    ...row,
    stage: stage.ready ? stage.stage : `${stage.stage}, not ready${stage.unmet.length ? `: ${stage.unmet.join("; ")}` : ""}`,
    talos,
    schematic,
    etcd: etcd && "members" in etcd ? memberState(etcd.members, node.name) : "not running",
    config: changes === undefined ? "-" : changes.length ? `${changes.length} pending` : "as rendered",
  };
}

const memberState = (members: { hostname: string; learner: boolean }[], name: string) => {
  const own = members.find(({ hostname }) => hostname === name);
  return own ? (own.learner ? "learner" : "member") : "no member";
};

/** The node's version, and the wanted one where it differs. */
async function talosOf(context: Context, node: Node): Promise<string> {
  const got = await ask({ timeout: "20s" })`talosctl ${at(context, node)} version --short`.nothrow();
  const tag = /Server:[\s\S]*?Tag:\s*(v\S+)/.exec(got.stdout)?.[1];
  const { TALOS_VERSION } = context.versions;
  return tag === undefined ? "unknown" : tag === TALOS_VERSION ? tag : `${tag}, wanted ${TALOS_VERSION}`;
}

interface Extension {
  spec: { metadata: { name: string; version: string } };
}

/** The factory hides the schematic's ID among the extensions. */
async function schematicOf(context: Context, node: Node): Promise<string> {
  const got = await ask({ timeout: "20s" })`talosctl ${at(context, node)} get extensions --output json`.nothrow();
  if (got.exitCode !== 0) return "unknown";
  const held = jsonStream<Extension>(got.stdout).find(({ spec }) => spec.metadata.name === "schematic")?.spec.metadata.version;
  const { id } = await readSchematic(context);
  if (held === undefined) return "none: no factory image";
  return held === id ? id.slice(0, 12) : `${held.slice(0, 12)}, wanted ${id.slice(0, 12)}`;
}

await main(import.meta, status);
