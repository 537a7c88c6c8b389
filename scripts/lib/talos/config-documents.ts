// Reads the machine config of a node: to compare it before anything is sent, and to verify afterwards that it arrived.
import { isDeepStrictEqual } from "node:util";
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { ask } from "../run/shell.ts";
import { type Probe, until } from "../run/wait.ts";
import { parseDocuments } from "../text/yaml.ts";
import { readYaml, Unreadable } from "../run/tool-output.ts";
import { changesBetween, lineOf } from "./changes.ts";
import { type Document, titleOf } from "./merge.ts";
import { talosArgs, type Home, shortened, isReady, stageFromRefusal, outputOf, stageOf } from "./node.ts";

/** `v1alpha1`: the active config; `persistent`: the config from the next boot on. */
type ConfigId = "v1alpha1" | "persistent";

const askFor = async (context: Home, node: Node, id: ConfigId) =>
  ask({ timeout: "20s" })`talosctl ${await talosArgs(context, node)} get machineconfig ${id} --output ${"jsonpath={.spec}"}`.nothrow();

/** The documents of a node's config. They hold secrets. */
export async function readConfigDocuments(context: Home, node: Node, id: ConfigId = "v1alpha1"): Promise<Document[]> {
  const got = await askFor(context, node, id);
  if (got.exitCode !== 0)
    throw new Failure({ attempted: `read the machine config of ${node.name}`, said: outputOf(got), next: "task talos:status" });
  return parseConfig(got.stdout, node);
}

/** Parses the config that a node printed. A running node has one, so empty output is an error too. */
async function parseConfig(text: string, { address }: Node): Promise<Document[]> {
  const command = `talosctl get machineconfig --nodes ${address}`;
  const documents = await readYaml<Document>(text, { command, secret: true });
  if (documents.length === 0) throw new Unreadable({ attempted: `read the output of \`${command}\``, said: "it is empty" });
  return comparable(documents);
}

/** The documents of a config in comparable form: in a fixed order and without empty values, as Talos writes them. */
export async function configDocuments(text: string): Promise<Document[]> {
  return comparable((await parseDocuments(text, "the rendered machine config")) as Document[]);
}

const comparable = (documents: readonly Document[]): Document[] =>
  documents.map((document) => withoutEmpty(document) as Document).toSorted((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, withoutEmpty(inner)] as const)
      .filter(([, inner]) => !isEmpty(inner)),
  );
}

const isEmpty = (value: unknown) => value === null || (typeof value === "object" && Object.keys(value).length === 0);

/** How long a node may take to install or reboot, and to answer again. */
const SECONDS = 900;
/** A node that went away and is in maintenance mode again this many times in a row has not installed. */
const TIMES = 3;

/** Waits until the node reports the config that was sent: at once, or minutes later if it installs or reboots first. */
export async function expectConfig(context: Context, node: Node, config: string, id: ConfigId = "v1alpha1"): Promise<void> {
  const wanted = await configDocuments(config);
  let away = false;
  let without = 0;
  const look = async (): Promise<Probe<true>> => {
    const got = await askFor(context, node, id);
    if (got.exitCode === 0) {
      const held = await parseConfig(got.stdout, node);
      if (isDeepStrictEqual(held, wanted)) return { ready: true };
      return { waiting: `it holds another config: ${changesBetween(held, wanted).slice(0, 3).map(lineOf).join("; ")}` };
    }
    const said = outputOf(got);
    if (stageFromRefusal(said) !== "ask openly") {
      away = true;
      return { waiting: shortened(said) };
    }
    without += away ? 1 : 0;
    if (without >= TIMES) throw notInstalled(node);
    return { waiting: "it installs" };
  };
  await until(look, {
    for: `${node.name} to hold its config`,
    seconds: SECONDS,
    ui: context.ui,
    signal: context.signal,
    next: `task talos:diff NODE=${node.name}`,
  });
}

const notInstalled = ({ name }: Node) =>
  new Failure({
    attempted: `install Talos on ${name}`,
    said: "it took the config, rebooted, and is in maintenance mode again; its console says why (a disk that is not there, an installer image that cannot be pulled)",
    now: `${name} has no config`,
    next: `task talos:validate, then: task talos:apply NODE=${name}`,
  });

/** Waits until a node is ready again, before the next one is changed: two control planes down at once leave etcd without quorum. */
export async function expectReady(context: Context, node: Node): Promise<void> {
  const look = async (): Promise<Probe<true>> => {
    const seen = await stageOf(context, node);
    if (isReady(seen)) return { ready: true };
    return { waiting: "said" in seen ? seen.said : "unmet" in seen && seen.unmet.length > 0 ? seen.unmet.join("; ") : seen.stage };
  };
  await until(look, {
    for: `${node.name} to be ready again`,
    seconds: SECONDS,
    ui: context.ui,
    signal: context.signal,
    next: "task talos:status",
  });
}
