// talosctl etcd: the members, their state, and the commands that change them.
import { forfeitLeadership, leaveCluster, membersOf, removeMember, statusOf } from "../../world/talos/etcd.ts";
import { etcdOf } from "../../world/talos/etcd-access.ts";
import { SNAPSHOT_INFO, snapshotOf } from "../../world/talos/etcd-snapshot.ts";
import { Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import { columns } from "../table.ts";
import { fanOut, listErrors, onlyOne, reach, type TalosCall, TalosError } from "./client.ts";
import { type Status, wordsOf } from "../../world/talos/grpc-status.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

/** Each action: what its RPC is called in refusals, and what it does. */
const ACTIONS: Record<string, { asks: string; words: number; run(talos: TalosCall, asks: string): Promise<void> }> = {
  members: { asks: "member list", words: 1, run: (talos, asks) => table(talos, asks, "members", memberRows) },
  status: { asks: "etcd status", words: 1, run: (talos, asks) => table(talos, asks, "status", statusRows) },
  "forfeit-leadership": { asks: "etcd forfeit leadership", words: 1, run: (talos, asks) => each(talos, asks, forfeit) },
  leave: { asks: "etcd leave", words: 1, run: (talos, asks) => each(talos, asks, leaveCluster) },
  "remove-member": { asks: "etcd remove member", words: 2, run: remove },
  "alarm list": { asks: "etcd alarm list", words: 2, run: (talos, asks) => each(talos, asks, () => undefined) },
  snapshot: { asks: "etcd snapshot", words: 2, run: snapshot },
};

export async function etcdCommand(talos: TalosCall): Promise<void> {
  const { rest } = talos;
  const action = [rest.slice(0, 2).join(" "), rest[0] ?? ""].find((name) => name in ACTIONS);
  if (!action || rest.length !== ACTIONS[action]!.words) throw new Untaught();
  await ACTIONS[action]!.run(talos, ACTIONS[action]!.asks);
}

/** The nodes; those whose etcd does not answer are an error. */
async function askable(talos: TalosCall, asks: string) {
  const targets = await reach(talos);
  return targets.map((target) => {
    const refused = "machine" in target ? etcdOf(talos.world, target.machine, asks) : undefined;
    return refused ? { node: target.node, error: wordsOf(refused) } : target;
  });
}

async function table(
  talos: TalosCall,
  asks: string,
  what: string,
  rows: (world: World, answered: Answered) => (string | number | boolean)[][],
): Promise<void> {
  const { world, call } = talos;
  const { answered, error } = fanOut(await askable(talos, asks), false);
  if (answered.length === 0) throw new TalosError(`error getting ${what}: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  call.out(columns(rows(world, answered)));
}

/** Runs an action without output on each node, and reports the errors at the end. */
async function each(
  talos: TalosCall,
  asks: string,
  act: (world: World, machine: MachineState) => Status | undefined | void,
): Promise<void> {
  const { answered, error } = fanOut(await askable(talos, asks), false);
  const errors = answered.flatMap(({ node, machine }) => {
    const refused = act(talos.world, machine);
    return refused ? [`${node}: ${wordsOf(refused)}`] : [];
  });
  if (error !== undefined) throw new TalosError(error);
  if (errors.length > 0) throw new TalosError(listErrors(errors));
}

const forfeit = (world: World, machine: MachineState) => {
  const done = forfeitLeadership(world, machine);
  return "code" in done ? done : undefined;
};

async function remove(talos: TalosCall, asks: string): Promise<void> {
  const [, id = ""] = talos.rest;
  if (!/^[0-9a-f]{1,16}$/i.test(id))
    throw new TalosError(
      `error parsing member ID: error parsing etcd member id: strconv.ParseUint: parsing ${JSON.stringify(id)}: invalid syntax`,
    );
  await each(talos, asks, (world, machine) => removeMember(world, machine, id.toLowerCase().padStart(16, "0")));
}

async function snapshot(talos: TalosCall, asks: string): Promise<void> {
  const { call, rest, world } = talos;
  const path = rest[1]!;
  const target = onlyOne(await reach(talos), "etcd snapshot");
  if ("error" in target) throw new TalosError(`error reading: ${target.error}`);
  const refused = etcdOf(world, target.machine, asks);
  if (refused) throw new TalosError(`error reading: ${wordsOf(refused)}`);
  const bytes = snapshotOf();
  await call.write(path, bytes, 0o600);
  call.out(`etcd snapshot saved to ${JSON.stringify(path)} (${bytes.length} bytes)\nsnapshot info: ${SNAPSHOT_INFO}\n`);
}

type Answered = { node: string; machine: MachineState }[];

const memberRows = (world: World, answered: Answered) => [
  ["NODE", "ID", "HOSTNAME", "PEER URLS", "CLIENT URLS", "LEARNER"],
  ...answered.flatMap(({ node, machine }) =>
    membersOf(world, machine).map(({ id, hostname, peer, client, learner }) => [node, id, hostname, peer, client, learner]),
  ),
];

const statusRows = (world: World, answered: Answered) => [
  [
    "NODE",
    "MEMBER",
    "DB SIZE",
    "IN USE",
    "LEADER",
    "RAFT INDEX",
    "RAFT TERM",
    "RAFT APPLIED INDEX",
    "LEARNER",
    "PROTOCOL",
    "STORAGE",
    "ERRORS",
  ],
  ...answered.map(({ node, machine }) => {
    const { size, used, index, leader, learner, protocol, storage } = statusOf(world, machine);
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    const share = `${mb(used)} (${((100 * used) / size).toFixed(2)}%)`;
    return [node, machine.etcd!.id, mb(size), share, leader.id, index, leader.term, index, learner, protocol, storage, ""];
  }),
];
