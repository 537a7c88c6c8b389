// The state of the nodes. What cannot be read is unknown, not bad. It also works without the vault, and then says that it is unknown whose nodes these are.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { askEtcd } from "./etcd.ts";
import { ask } from "../run/shell.ts";
import type { Cell } from "../run/ui.ts";
import { changesBetween } from "./changes.ts";
import { configDocuments, readConfigDocuments } from "./config-documents.ts";
import { type Document, titleOf } from "./merge.ts";
import { readJsonStream, Unreadable } from "../run/tool-output.ts";
import { talosArgs, type Home, type NodeStage, stageOf } from "./node.ts";
import { renderDocuments } from "./render.ts";
import { versionOf } from "./version.ts";
import { isDeployable } from "../cluster/versions.ts";
import { printDocuments } from "../text/yaml.ts";

export type NodeStatus = { node: string; address: string } & NodeStage & {
    /** The running version; undefined if it could not be read, or for a node without a config. */
    talos?: string | undefined;
    schematic?: string | undefined;
    etcd?: "member" | "learner" | "no member" | "down" | undefined;
    kubelet?: "healthy" | "unhealthy" | "not running" | undefined;
    /** Values of the config that differ from the rendered ones, without secrets. */
    differs?: number | undefined;
  };

/** Asks one node for all of it at once. */
export async function statusOf(context: Home & Pick<Context, "root" | "versions">, node: Node): Promise<NodeStatus> {
  const stage = await stageOf(context, node);
  const who = { node: node.name, address: node.address, ...stage };
  if (stage.stage !== "running" && stage.stage !== "booting") return who;
  const [talos, schematic, etcd, kubelet, differs] = await Promise.all([
    versionOf(context, node),
    schematicOf(context, node),
    etcdOf(context, node),
    kubeletOf(context, node),
    differsOf(context, node),
  ]);
  return { ...who, talos, schematic, etcd, kubelet, differs };
}

interface Extension {
  spec: { metadata: { name: string; version: string } };
}

/** The factory builds the schematic's ID in as an extension of that name; `none` = an installer from elsewhere. */
async function schematicOf(context: Home, node: Node): Promise<string | undefined> {
  const got = await ask({ timeout: "20s" })`talosctl ${await talosArgs(context, node)} get extensions --output json`.nothrow();
  if (got.exitCode !== 0) return undefined;
  const command = `talosctl get extensions --nodes ${node.address}`;
  const all = orUnknown(() => readJsonStream<Extension>(got.stdout, { command }, { spec: { metadata: { name: "", version: "" } } }));
  return all && (all.find(({ spec }) => spec.metadata.name === "schematic")?.spec.metadata.version ?? "none");
}

/** An answer that cannot be parsed makes one cell of the table unknown. */
function orUnknown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

async function etcdOf(context: Home, node: Node): Promise<NodeStatus["etcd"]> {
  const [seen] = await askEtcd(context, [node]);
  if (!seen || "unseen" in seen) return undefined;
  if ("stopped" in seen) return "down";
  const own = "members" in seen ? seen.members.find(({ hostname }) => hostname === node.name) : undefined;
  return own ? (own.learner ? "learner" : "member") : "no member";
}

interface Service {
  spec: { running: boolean; healthy: boolean; unknown: boolean };
}

async function kubeletOf(context: Home, node: Node): Promise<NodeStatus["kubelet"]> {
  const got = await ask({ timeout: "20s" })`talosctl ${await talosArgs(context, node)} get services kubelet --output json`.nothrow();
  if (got.exitCode !== 0) return undefined;
  const command = `talosctl get services kubelet --nodes ${node.address}`;
  const service = orUnknown(() => readJsonStream<Service>(got.stdout, { command }, { spec: { running: false, healthy: false } })[0]?.spec);
  if (!service) return undefined;
  const { running, healthy } = service;
  return running ? (healthy ? "healthy" : "unhealthy") : "not running";
}

/** Compared with references in place of secrets: the vault is not read, and the node's secrets count as right. */
async function differsOf(context: Parameters<typeof statusOf>[0], node: Node): Promise<number | undefined> {
  const held = await readConfigDocuments(context, node).catch(() => undefined); // unknown
  if (!held || !isDeployable(context.versions)) return undefined; // without a config to compare with
  const wanted = await configDocuments(await printDocuments(await renderDocuments(context, node)));
  return changesBetween(
    held.map(
      (document) =>
        believing(
          document,
          wanted.find((other) => titleOf(other) === titleOf(document)),
        ) as Document,
    ),
    wanted,
  ).length;
}

/** `held` with the reference wherever `wanted` has one and `held` has a text. */
function believing(held: unknown, wanted: unknown): unknown {
  if (typeof wanted === "string" && wanted.startsWith("op://") && typeof held === "string") return wanted;
  if (Array.isArray(held) && Array.isArray(wanted)) return held.map((one, index) => believing(one, wanted[index]));
  if (!isMap(held) || !isMap(wanted)) return held;
  return Object.fromEntries(Object.entries(held).map(([key, inner]) => [key, believing(inner, wanted[key])]));
}

const isMap = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === "object" && !Array.isArray(value);

export const HEAD = ["node", "address", "stage", "talos", "schematic", "etcd", "kubelet", "config"];

/** A node's row. A value that differs also shows the wanted one. */
export function rowOf(status: NodeStatus, wanted: { talos: string; schematic: string }): Cell[] {
  const { node, address, talos, schematic, etcd, kubelet, differs } = status;
  if (!("ready" in status)) return [node, address, status.stage];
  const config =
    differs === undefined ? "unknown" : differs === 0 ? "as rendered" : `${differs} ${differs === 1 ? "change" : "changes"} pending`;
  return [
    node,
    address,
    status.ready ? status.stage : `${status.stage}, not ready`,
    versus(talos, wanted.talos),
    versus(schematic?.slice(0, 12), wanted.schematic.slice(0, 12)),
    etcd ?? "unknown",
    kubelet ?? "unknown",
    config,
  ];
}

const versus = (is: string | undefined, wanted: string) => (is === undefined ? "unknown" : is === wanted ? is : `${is} (wanted ${wanted})`);

/** Details below the table: why a node does not answer, and what it waits for. */
export const notesOf = (statuses: readonly NodeStatus[]) =>
  statuses.flatMap((status) =>
    "said" in status
      ? [`${status.node}: ${status.said}`]
      : "unmet" in status
        ? status.unmet.map((unmet) => `${status.node} waits for ${unmet}`)
        : [],
  );
