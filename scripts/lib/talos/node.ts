// One Talos node as it can be asked: which stage it is in, what config it holds. Every command names its endpoint: the node's own address, never the VIP.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../context.ts";
import { Failure, textOf } from "../errors.ts";
import { readIfThere } from "../files.ts";
import { ask } from "../shell.ts";
import { parseDocuments } from "../yaml.ts";
import { type Document, titleOf } from "./merge.ts";

type Env = Pick<Context, "env">;

/** The words that lead a command to this node with the cluster's own certificate. */
export const at = ({ env }: Env, { address }: Pick<Node, "address">) => ["--talosconfig", env.TALOSCONFIG!, "--endpoints", address, "--nodes", address];

/** talosctl makes an empty talosconfig where there is none, and then says that it finds no nodes: this says what is wrong. */
export async function expectTalosconfig({ env }: Env): Promise<void> {
  const text = await readIfThere(env.TALOSCONFIG!);
  if (text === undefined) throw new Failure({ attempted: "speak to the nodes", said: `there is no ${env.TALOSCONFIG}`, next: "task talos:talosconfig" });
  if (!/^contexts:/m.test(text) || !/\bkey:/.test(text)) throw new Failure({ attempted: "speak to the nodes", said: `${env.TALOSCONFIG} is empty, as talosctl makes it by itself`, next: "task talos:talosconfig" });
}

export type Stage =
  /** Booted from the ISO, without a config. */
  | { stage: "maintenance" }
  /** Has a config of ours; `ready` and what is unmet as the node says. */
  | { stage: "running" | "booting"; ready: boolean; unmet: string[] }
  /** Answers, but with another cluster's authority. */
  | { stage: "foreign"; said: string }
  | { stage: "unreachable"; said: string };

/** Asks with our certificate first; only a node that cannot know it is asked without one. */
export async function stageOf(context: Env, node: Pick<Node, "name" | "address">): Promise<Stage> {
  const got = await ask({ timeout: "20s" })`talosctl ${at(context, node)} get machinestatus --output json`.nothrow();
  if (got.exitCode === 0) return runningStage(got.stdout);
  const said = textOf(got);
  if (!/certificate signed by unknown authority/.test(said)) return { stage: "unreachable", said };
  const open = await ask({ timeout: "20s" })`talosctl --talosconfig ${context.env.TALOSCONFIG!} --nodes ${node.address} get machinestatus --insecure --output json`.nothrow();
  if (open.exitCode === 0 || /not implemented in maintenance mode/.test(open.stderr)) return { stage: "maintenance" };
  return /certificate required/.test(textOf(open)) ? { stage: "foreign", said } : { stage: "unreachable", said: textOf(open) };
}

interface MachineStatus {
  spec: { stage: string; status?: { ready?: boolean; unmetConditions?: { name: string; reason: string }[] } };
}

function runningStage(json: string): Stage {
  const spec = jsonStream<MachineStatus>(json)[0]?.spec;
  const unmet = (spec?.status?.unmetConditions ?? []).map(({ name, reason }) => `${name}: ${reason}`);
  return { stage: spec?.stage === "running" ? "running" : "booting", ready: spec?.status?.ready ?? false, unmet };
}

/** talosctl prints objects one after the other, each over several lines: no array, and not one a line. */
export function jsonStream<T>(text: string): T[] {
  return text
    .split(/^\}$\n?/m)
    .filter((part) => part.trim())
    .map((part) => JSON.parse(`${part}}`) as T);
}

/** The config that the node runs with (`v1alpha1`) or will have after its next boot (`persistent`), as text. Holds secrets. */
export async function heldConfig(context: Env, node: Pick<Node, "name" | "address">, id: "v1alpha1" | "persistent" = "v1alpha1"): Promise<string> {
  const got = await ask({ timeout: "20s" })`talosctl ${at(context, node)} get machineconfig ${id} --output ${"jsonpath={.spec}"}`.nothrow();
  if (got.exitCode === 0) return got.stdout;
  throw new Failure({ attempted: `read the machine config of ${node.name}`, said: textOf(got), next: "task talos:status" });
}

/** The documents of a config in an order of their own, to compare: a node may give them back in another. */
export async function configDocuments(text: string): Promise<Document[]> {
  const documents = (await parseDocuments(text, "the node's machine config")) as Document[];
  return documents.toSorted((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
}
