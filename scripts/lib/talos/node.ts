// The stage of a Talos node, and the arguments of every command to it. The endpoint is always the node's own address, never the VIP.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { textOf } from "../run/errors.ts";
import type { Gate } from "../run/gates.ts";
import { ask } from "../run/shell.ts";
import { readJsonStream, Unreadable } from "../run/tool-output.ts";
import { patient } from "../run/patience.ts";
import { expectOurTalosconfig, type Home as OwnTalosconfig, identityOf } from "./talosconfig.ts";

type Place = Pick<Node, "address">;

/** What a command to a node needs to prove which cluster the node belongs to. */
export interface Home extends OwnTalosconfig {
  /** The vault could not prove that $TALOSCONFIG is ours. Only `homeToRead` sets this. */
  unproven?: true;
}

/** For reads that also work without the vault. `unknown` is the reason, which the output must show. Still throws for another cluster's $TALOSCONFIG. */
export async function homeToRead<C extends Home>(context: C): Promise<{ home: C; unknown?: string }> {
  const identity = await identityOf(context);
  if (!("unknown" in identity)) return { home: context };
  const { account, message } = identity.unknown;
  const why = (account.said ?? message).split("\n")[0]!;
  return { home: { ...context, unproven: true }, unknown: `whether these are ${context.cluster.name}'s nodes is unknown: ${why}` };
}

/**
 * The arguments for a command to this node with the cluster's own certificate. Every command to a node with a config starts with them, and each time
 * $TALOSCONFIG is proven to be this cluster's: no procedure can forget that, and a replaced file is noticed.
 */
export async function talosArgs(home: Home, { address }: Place): Promise<string[]> {
  if (!home.unproven) await expectOurTalosconfig(home);
  return ["--talosconfig", home.env.TALOSCONFIG!, "--endpoints", address, "--nodes", address];
}

/** The arguments for a command to a node without a config. `--insecure` must follow the command, because talosctl would take the command for its value. */
export const insecureTalosArgs = ({ env }: Pick<Context, "env">, { address }: Place) => [
  "--talosconfig",
  env.TALOSCONFIG!,
  "--nodes",
  address,
];

export type NodeStage =
  /** Booted from the ISO, without a config. */
  | { stage: "maintenance" }
  /** Has a config of this cluster, which its certificate proves; `unmet`: what it waits for. */
  | { stage: "running" | "booting"; ready: boolean; unmet: string[] }
  /** Answers, but refuses our credentials: another cluster's node, or the wrong talosconfig. */
  | { stage: "foreign"; said: string }
  /** Does not answer, or the answer cannot be parsed: off, rebooting, disconnected. */
  | { stage: "unreachable"; said: string };

/** Running and ready: its etcd and its kubelet run. */
export const isReady = (stage: NodeStage) => stage.stage === "running" && stage.ready;

/** A machine in maintenance mode is the node that is meant: `wrongMachine` looks, for each machine. */
export const nicGate: Gate = {
  name: "nic",
  about: "a machine that booted the ISO has the node's MAC; skip it for one that does not report its NICs",
};

const SECONDS = 20;

/** Asks with our certificate first. Only if the answer does not prove the node's identity, it asks without one, as for a node without a config. */
export async function stageOf(context: Home, node: Place): Promise<NodeStage> {
  const got = await ask({ timeout: `${SECONDS}s` })`talosctl ${await talosArgs(context, node)} get machinestatus --output json`.nothrow();
  if (got.exitCode === 0) return runningStage(got.stdout, node);
  const seen = stageFromRefusal(outputOf(got));
  if (seen !== "ask openly") return seen;
  const openly = () =>
    ask({ timeout: `${SECONDS}s` })`talosctl ${insecureTalosArgs(context, node)} get machinestatus --insecure --output json`.nothrow();
  let open = await openly();
  for (let more = 2; more > 0 && open.exitCode !== 0 && HUNG_UP.test(outputOf(open)); more -= 1) open = await openly();
  return open.exitCode === 0 ? { stage: "maintenance" } : stageFromInsecure(outputOf(open));
}

/** A node that requires a certificate sends an error and closes the connection; either may arrive first. */
const HUNG_UP = /broken pipe|connection reset by peer|error reading server preface: EOF/;

/** The stage that a refused certificate, ours or the node's, shows. */
export function stageFromRefusal(said: string): NodeStage | "ask openly" {
  if (/certificate signed by unknown authority/.test(said)) return "ask openly";
  const refused = /remote error: tls: (bad certificate|unknown certificate authority|expired certificate)/.exec(said)?.[1];
  if (refused)
    return {
      stage: "foreign",
      said: `it refuses our certificate (${refused}): $TALOSCONFIG is of another cluster, or old: task talos:talosconfig`,
    };
  if (/code = PermissionDenied/.test(said))
    return { stage: "foreign", said: "it knows our certificate, and not as an administrator's: task talos:talosconfig" };
  return { stage: "unreachable", said: shortened(said) };
}

/** A node without a config answers, or does not implement this call. A node that requires a certificate has another cluster's config. */
export function stageFromInsecure(said: string): NodeStage {
  if (/code = (Unimplemented|PermissionDenied|NotFound)/.test(said)) return { stage: "maintenance" };
  if (/tls: certificate required/.test(said))
    return { stage: "foreign", said: "it has a config of a cluster with another authority than $TALOSCONFIG's" };
  return { stage: "unreachable", said: shortened(said) };
}

/** The last "desc =" of an error, in one line. A diff after it contains secrets and is removed. */
export const shortened = (said: string) =>
  said
    .split(/\ndiff:/)[0]!
    .replace(/^[\s\S]*desc = /, "")
    .replace(/^"?(?:transport: )?(?:Error while dialing: )?/, "")
    .replaceAll(/\d+ errors? occurred:\s*/g, "")
    .replaceAll(/\s*\n\s*(?:\* )?/g, "; ")
    .replaceAll(/^(?:\* )|[;"\s]+$/g, "");

/** The output of a failed command, or that it was stopped without output. */
export const outputOf = (got: { exitCode: number | null; signal: string | null; stderr: string; stdout: string }) =>
  got.exitCode === null && !got.stderr.trim() ? `no answer within ${patient(SECONDS)} s` : textOf(got);

interface MachineStatus {
  spec: { stage: string; status?: { ready?: boolean; unmetConditions?: { name: string; reason: string }[] | null } };
}

/** The stage from a machine status; unreachable if the answer has no status. */
function runningStage(json: string, { address }: Place): NodeStage {
  const command = `talosctl get machinestatus --nodes ${address}`;
  try {
    const [status] = readJsonStream<MachineStatus>(json, { command }, { spec: { stage: "" } });
    if (!status) return { stage: "unreachable", said: `\`${command}\` printed nothing` };
    const { stage, status: { ready = false, unmetConditions } = {} } = status.spec;
    const unmet = (unmetConditions ?? []).map(({ name, reason }) => `${name}: ${reason}`);
    return { stage: stage === "running" ? "running" : "booting", ready, unmet };
  } catch (error) {
    if (error instanceof Unreadable) return { stage: "unreachable", said: error.message };
    throw error;
  }
}
