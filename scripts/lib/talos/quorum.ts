// Whether etcd keeps its quorum while a control plane is down, and whether a node votes again. Talos 1.13 does not check this before a reboot.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import type { Gate, Verdict } from "../run/gates.ts";
import { type Probe, until } from "../run/wait.ts";
import { type EtcdView, askEtcd, noAnswerOf, splitIn } from "./etcd.ts";
import { type Home, shortened } from "./node.ts";

/** Asks etcd of every control plane. `rolling` asks this gate again before each node. */
export const quorumGate: Gate = {
  name: "quorum",
  about: "etcd keeps its quorum while a node is down",
  async look(context, { takesDown = [] }) {
    if (takesDown.length === 0) return undefined;
    return quorumVerdict(takesDown, await askEtcd(context, context.cluster.nodes));
  },
};

/** Whether a node takes part in etcd's votes now. A node that only could not be asked is unknown. */
export type Vote = { node: string } & ({ votes: true } | { votes: false | "unknown"; why: string });

/** A node votes if its own etcd answers and lists it as a member that is not a learner. */
export const votesOf = (answers: readonly EtcdView[]): Vote[] =>
  answers.map((answer) => ({ node: answer.node, ...voteOf(answer, answers) }));

function voteOf(answer: EtcdView, all: readonly EtcdView[]): { votes: true } | { votes: false | "unknown"; why: string } {
  if ("without" in answer) return { votes: false, why: answer.without };
  if ("stopped" in answer) return { votes: false, why: answer.stopped };
  const rows = all.flatMap((one) => ("members" in one ? one.members.filter(({ hostname }) => hostname === answer.node) : []));
  if (rows.some(({ learner }) => learner)) return { votes: false, why: "it is a learner, which does not vote yet" };
  if (rows.length === 0 && all.some((one) => "members" in one)) return { votes: false, why: "etcd does not list it as a member" };
  return "unseen" in answer ? { votes: "unknown", why: shortened(noAnswerOf(answer)!) } : { votes: true };
}

/**
 * Judges each node that goes down on its own, because they go down one after the other. More than half of etcd's voting members must stay. A node that
 * does not vote takes nothing away. In a cluster of one or two nodes no node can be spared, so nothing is checked there.
 */
export function quorumVerdict(takesDown: readonly Pick<Node, "name">[], answers: readonly EtcdView[]): Verdict {
  const split = splitIn(answers);
  if (split !== undefined) return { state: "bad", saw: split };
  const votes = votesOf(answers);
  const saw = `${votes.filter((one) => one.votes === true).length} of ${votes.length} control planes vote in etcd`;
  if (answers.length < 3) return { state: "ok", saw };
  const gaps = takesDown.map(({ name }) => gapOf(name, votes, votersIn(answers))).filter((gap) => gap !== undefined);
  if (gaps.length === 0) return { state: "ok", saw };
  return { state: gaps.some(({ state }) => state === "bad") ? "bad" : "unknown", saw: gaps.map((gap) => gap.saw).join("\n") };
}

/** How many members vote in etcd, also those that are down now. Without an answer: one for each node. */
function votersIn(answers: readonly EtcdView[]): number {
  const counts = answers.flatMap((one) => ("members" in one ? [one.members.filter(({ learner }) => !learner).length] : []));
  return counts.length > 0 ? Math.max(...counts) : answers.length;
}

function gapOf(name: string, votes: readonly Vote[], voters: number): Verdict | undefined {
  if (votes.find(({ node }) => node === name)?.votes === false) return undefined;
  const others = votes.filter(({ node }) => node !== name);
  const staying = others.filter((one) => one.votes === true).length;
  const unknown = others.filter((one) => one.votes === "unknown").length;
  const needed = Math.floor(voters / 2) + 1;
  if (staying >= needed) return undefined;
  const reasons = others.flatMap((one) => (one.votes === true ? [] : [`  ${one.node}: ${one.why}`]));
  return {
    state: staying + unknown >= needed ? "unknown" : "bad",
    saw: [`${name} would go down: etcd needs ${needed} voting control planes to stay; known to stay: ${staying}`, ...reasons].join("\n"),
  };
}

/** Whether the node must vote again after its reboot: etcd exists, or it is unknown whether it does. */
export async function expectsVote(context: Home, node: Pick<Node, "name">): Promise<boolean> {
  const answers = await askEtcd(context, context.cluster.nodes);
  return answers.some((one) => "members" in one || "stopped" in one || ("unseen" in one && one.node === node.name));
}

/** How long a node may take to boot and to catch up with etcd. */
const SECONDS = 900;

/** Waits until the node votes in etcd, before the next node goes down. */
export async function expectVote(context: Context, node: Node): Promise<void> {
  const { cluster, ui, signal } = context;
  const look = async (): Promise<Probe<true>> => {
    const vote = votesOf(await askEtcd(context, cluster.nodes)).find((one) => one.node === node.name)!;
    return vote.votes === true ? { ready: true } : { waiting: vote.why };
  };
  await until(look, { for: `${node.name} to vote in etcd again`, seconds: SECONDS, ui, signal, next: "task talos:status" });
}
