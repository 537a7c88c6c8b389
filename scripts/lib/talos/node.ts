// One Talos node as it can be asked: in which stage of its life it is. Every command names its endpoint: the node's own address, never the VIP.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { textOf } from "../run/errors.ts";
import type { Gate } from "../run/gates.ts";
import { ask } from "../run/shell.ts";
import { readJsonStream, Unreadable } from "../run/tool-output.ts";
import { patient } from "../run/patience.ts";
import { expectOurTalosconfig, type Home as OwnTalosconfig, identityOf } from "./talosconfig.ts";

type Place = Pick<Node, "address">;

/** What a command to a node needs, so that it can be proven whose node that is. */
export interface Home extends OwnTalosconfig {
  /** The vault could not tell whose $TALOSCONFIG is. Only `homeToRead` sets this. */
  unproven?: true;
}

/** For reads that go on when the vault cannot tell whose the nodes are. `unknown` says why, and belongs into the output. Another cluster's $TALOSCONFIG throws all the same. */
export async function homeToRead<C extends Home>(context: C): Promise<{ home: C; unknown?: string }> {
  const identity = await identityOf(context);
  if (!("unknown" in identity)) return { home: context };
  const { account, message } = identity.unknown;
  const why = (account.said ?? message).split("\n")[0]!;
  return { home: { ...context, unproven: true }, unknown: `whether these are ${context.cluster.name}'s nodes is unknown: ${why}` };
}

/**
 * The words that lead a command to this node with the cluster's own certificate. Every command to a node that has a config begins with them, and each time
 * $TALOSCONFIG is proven to be this cluster's: no procedure can forget it, and a file that was replaced meanwhile is noticed.
 */
export async function talosArgs(home: Home, { address }: Place): Promise<string[]> {
  if (!home.unproven) await expectOurTalosconfig(home);
  return ["--talosconfig", home.env.TALOSCONFIG!, "--endpoints", address, "--nodes", address];
}

/** The words that lead a command to a node that has no config yet, and so knows no certificate; `--insecure` belongs after the command, or talosctl takes the command for its value. */
export const insecureTalosArgs = ({ env }: Pick<Context, "env">, { address }: Place) => [
  "--talosconfig",
  env.TALOSCONFIG!,
  "--nodes",
  address,
];

export type NodeStage =
  /** Booted from the ISO, without a config. */
  | { stage: "maintenance" }
  /** Has a config of ours, which its certificate proves; `unmet` is what it waits for, in its own words. */
  | { stage: "running" | "booting"; ready: boolean; unmet: string[] }
  /** Answers, but we are not its administrator: another cluster's node, or a talosconfig that does not fit. */
  | { stage: "foreign"; said: string }
  /** Does not answer, or not so that it can be understood: off, rebooting, cut off. */
  | { stage: "unreachable"; said: string };

/** Up, and content with itself: its etcd and its kubelet run. */
export const isReady = (stage: NodeStage) => stage.stage === "running" && stage.ready;

/** A machine in maintenance mode is the node that is meant: `wrongMachine` looks, for each machine. */
export const nicGate: Gate = {
  name: "nic",
  about: "a machine that booted the ISO has the node's MAC; skip it for one that does not report its NICs",
};

const SECONDS = 20;

/** Asks with our certificate first. Only where the answer does not prove who we speak to is the node asked openly, as one without a config can be. */
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

/** A node that wants a certificate says so and hangs up; whether its words arrive before the hanging up does is a race. */
const HUNG_UP = /broken pipe|connection reset by peer|error reading server preface: EOF/;

/** What a refusal of our certificate, or of theirs, means. */
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

/** A node without a config answers, or says that it does not know this call; one that asks for a certificate has a config of somebody else. */
export function stageFromInsecure(said: string): NodeStage {
  if (/code = (Unimplemented|PermissionDenied|NotFound)/.test(said)) return { stage: "maintenance" };
  if (/tls: certificate required/.test(said))
    return { stage: "foreign", said: "it has a config of a cluster with another authority than $TALOSCONFIG's" };
  return { stage: "unreachable", said: shortened(said) };
}

/** The end of a chain of "desc =", which says what happened, in one line. A diff that follows shows secrets and is cut off. */
export const shortened = (said: string) =>
  said
    .split(/\ndiff:/)[0]!
    .replace(/^[\s\S]*desc = /, "")
    .replace(/^"?(?:transport: )?(?:Error while dialing: )?/, "")
    .replaceAll(/\d+ errors? occurred:\s*/g, "")
    .replaceAll(/\s*\n\s*(?:\* )?/g, "; ")
    .replaceAll(/^(?:\* )|[;"\s]+$/g, "");

/** What a command said, or that it was stopped before it said anything. */
export const outputOf = (got: { exitCode: number | null; signal: string | null; stderr: string; stdout: string }) =>
  got.exitCode === null && !got.stderr.trim() ? `no answer within ${patient(SECONDS)} s` : textOf(got);

interface MachineStatus {
  spec: { stage: string; status?: { ready?: boolean; unmetConditions?: { name: string; reason: string }[] | null } };
}

/** Without a status in the answer the stage is unknown: a node that boots says so. */
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
