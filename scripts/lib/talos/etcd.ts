// etcd as each control plane tells it, and whether it is safe to bootstrap.
import { eachOf } from "../run/at-once.ts";
import type { Node } from "../cluster/cluster.ts";
import { Failure, textOf } from "../run/errors.ts";
import { ask } from "../run/shell.ts";
import type { StageState } from "../bootstrap/stage.ts";
import type { Step } from "../run/plan.ts";
import { talosArgs, type Home } from "./node.ts";

export interface Member {
  id: string;
  hostname: string;
  learner: boolean;
  /** Where its peers and its clients reach it. */
  addresses?: string[];
}

/** What one node says: its view of the members, that it never had etcd, that its etcd has data and does not answer, or nothing that could be understood. */
export type EtcdView = { node: string } & ({ members: Member[] } | NoEtcdView);
export type NoEtcdView = { without: string } | { stopped: string } | { unseen: string };

/** Asks every node at once. One whose etcd does not answer is asked whether it has data: an etcd that is down is not one that never was. */
export const askEtcd = (home: Home, nodes: readonly Pick<Node, "name" | "address">[]): Promise<EtcdView[]> =>
  eachOf(nodes, async (node): Promise<EtcdView> => {
    const got = await ask({ timeout: "20s" })`talosctl ${await talosArgs(home, node)} etcd members`.nothrow();
    if (got.exitCode === 0) {
      const members = membersOf(got.stdout);
      if (members.length > 0) return { node: node.name, members };
      return {
        node: node.name,
        unseen: `\`talosctl etcd members\` printed no members: "${got.stdout.trim().split("\n")[0]!.slice(0, 60)}"`,
      };
    }
    const why = reasonFor(textOf(got));
    if ("unseen" in why || why.without === MAINTENANCE) return { node: node.name, ...why };
    const listed = await ask({ timeout: "20s" })`talosctl ${await talosArgs(home, node)} list /var/lib/etcd`.nothrow();
    return { node: node.name, ...dataState(listed.exitCode, listed.stdout, textOf(listed)) };
  });

const MAINTENANCE = "it is in maintenance mode";

/** What the data directory says of an etcd that does not answer: only an empty one means that it never ran. The server looks at the same before it bootstraps. */
export function dataState(code: number | null, table: string, said: string): NoEtcdView {
  if (code !== 0) return /no such file or directory/.test(said) ? { without: "etcd never ran" } : { unseen: said };
  const [head = "", ...rows] = table.split("\n");
  if (!/^NODE\s+NAME\b/.test(head)) return { unseen: `\`talosctl list /var/lib/etcd\` printed no list of files: "${head.slice(0, 60)}"` };
  const names = rows.map((line) => line.trim().split(/\s+/).at(-1)).filter((name) => name && name !== ".");
  return names.length === 0 ? { without: "etcd never ran" } : { stopped: "its etcd is down, and its data directory is not empty" };
}

/** The table of `talosctl etcd members`; its columns are told by their heads, since their number has grown with the versions. */
export function membersOf(table: string): Member[] {
  const [head = "", ...rows] = table.split("\n").filter((line) => line.trim());
  const columns = head.trim().split(/\s{2,}/);
  const cell = (row: string[], name: string) => row[columns.indexOf(name)] ?? "";
  const members = rows.map((line) => {
    const row = line.trim().split(/\s{2,}/);
    if (row.length === columns.length - 1) row.splice(columns.indexOf("HOSTNAME"), 0, ""); // a member that was added and has not started has no name
    const hosts = [...line.matchAll(/https?:\/\/(?:\[([^\]]+)\]|([^\s:/,]+))/g)].map(([, v6, other]) => v6 ?? other!);
    return {
      id: cell(row, "ID"),
      hostname: cell(row, "HOSTNAME"),
      learner: cell(row, "LEARNER") === "true",
      addresses: [...new Set(hosts)],
    };
  });
  return members.filter(({ id }) => id !== ""); // a text that is not the table has no such column
}

/** Whether an error says that the node answers but has no etcd, or that the node could not be asked. */
export function reasonFor(said: string): { without: string } | { unseen: string } {
  if (
    /etcd is not running|service "etcd" is not|:2379|failed to (get|create) etcd client|error building etcd client|not bootstrapped/i.test(
      said,
    )
  )
    return { without: "etcd does not run" };
  if (/API is not implemented in maintenance mode|certificate signed by unknown authority/.test(said)) return { without: MAINTENANCE };
  return { unseen: said };
}

/** The step that starts a new etcd. A plan that does not have it never does. */
export const bootstrapStep = (node: string): Step => ({ action: "bootstrap etcd on", target: node });

/** Bootstrapping while any control plane may already hold data makes a second cluster beside the first: only when all were seen without it is it safe. */
export function etcdState(expected: string[], answers: EtcdView[]): StageState {
  const views = answers.filter((answer) => "members" in answer);
  if (views.length === 0)
    return {
      ...stateWithoutMembers(answers),
      todo: [`bootstrap etcd on ${expected[0]}`, `wait for ${expected.length} members`],
      steps: [bootstrapStep(expected[0]!)],
    };
  const known = [...new Map(views.flatMap(({ members }) => members).map((member) => [member.hostname, member])).values()];
  const split = splitIn(answers);
  if (split !== undefined)
    throw new Failure({
      attempted: "see one etcd",
      said: split,
      now: "nothing was changed",
      next: "talosctl etcd members on each; keep one, reset the others",
    });
  const missing = expected.filter((name) => !known.some(({ hostname, learner }) => hostname === name && !learner));
  const learners = known.filter(({ learner }) => learner).map(({ hostname }) => hostname);
  const saw = `${expected.length - missing.length} of ${expected.length} members${learners.length ? `, ${learners.join(", ")} still learning` : ""}`;
  return missing.length === 0
    ? { state: "done", saw }
    : {
        state: "partly",
        saw,
        todo: [`wait for ${missing.join(", ")} to become a member`],
        steps: missing.map((target) => ({ action: "wait for the etcd member", target })),
      };
}

/** Two nodes whose etcd are not one cluster; undefined when all that answer are in the same. */
export function splitIn(answers: readonly EtcdView[]): string | undefined {
  const [first, ...others] = answers.filter((answer) => "members" in answer);
  const other = others.find(({ members }) => !members.some(({ id }) => first!.members.some((one) => one.id === id)));
  return other && `${first!.node} and ${other.node} are in two different etcd clusters`;
}

/** Why a node's etcd did not answer, in one line; undefined when it did, or when it never ran. */
export const noAnswerOf = (answer: EtcdView): string | undefined =>
  "unseen" in answer ? answer.unseen.split("\n")[0] : "stopped" in answer ? answer.stopped : undefined;

function stateWithoutMembers(answers: EtcdView[]): Pick<StageState, "state" | "saw"> {
  const unseen = answers.flatMap((answer) => (noAnswerOf(answer) === undefined ? [] : [`${answer.node}: ${noAnswerOf(answer)}`]));
  return unseen.length
    ? { state: "unknown", saw: `not every node could be asked: ${unseen.join("; ")}` }
    : { state: "to do", saw: "no node has etcd" };
}
