// The etcd cluster of the control planes: who joins, who leads, who is put out. Refusals are gRPC statuses, as data.
import { randomBytes } from "node:crypto";
import { addressesOf, answers, configOf, etcdMembers, hostnameOf, isLearner, PACE, runningNodes } from "./machines.ts";
import type { World } from "../world.ts";
import type { Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

export const memberId = () => randomBytes(8).toString("hex");

/** Control planes that wait for etcd find the members of their cluster and join, one at a time. */
export function joinEtcd(world: World): void {
  const members = etcdMembers(world);
  const [first] = members;
  if (!first || first.etcd!.readyAt + PACE.apiServer > world.now()) return;
  const nodes = runningNodes(world.state);
  if (nodes.some(({ etcd }) => etcd && (etcd.readyAt > world.now() || etcd.learnerUntil > world.now()))) return;
  const cluster = configOf(first)!.cluster.id;
  const waiting = nodes.filter(
    (machine) =>
      !machine.etcd && answers(machine) && configOf(machine)?.type === "controlplane" && configOf(machine)?.cluster.id === cluster,
  );
  const next = waiting[world.has("etcd-never-joins") ? 1 : 0];
  if (!next) return;
  const readyAt = world.now() + PACE.join;
  const learnerUntil = readyAt + (world.strikes("etcd-learner") ? PACE.learner : 0);
  world.change("world", `${next.mac} joins etcd`, ({ machines }) => {
    machines[next.mac]!.etcd = { id: memberId(), cluster: first.etcd!.cluster, name: hostnameOf(next), readyAt, learnerUntil };
  });
}

/** Whether a node's own etcd serves. */
export const serves = (world: World, { etcd }: MachineState) => etcd !== undefined && !etcd.out && etcd.readyAt <= world.now();

/** The members that a node's etcd knows: those of its cluster, also while they are down. */
export const peersOf = (world: World, { etcd }: MachineState) =>
  Object.values(world.state.machines)
    .filter((machine) => machine.etcd && !machine.etcd.out && machine.etcd.cluster === etcd?.cluster && machine.etcd.readyAt <= world.now())
    .sort((a, b) => a.etcd!.readyAt - b.etcd!.readyAt);

const termOf = ({ etcd }: MachineState) => etcd?.term ?? 1;
const highest = (machines: MachineState[]) => machines.reduce((a, b) => (termOf(b) > termOf(a) ? b : a));

/** Who leads, and in which term. */
export function leaderOf(world: World, machine: MachineState): { id: string; term: number } {
  const leader = highest(peersOf(world, machine));
  return { id: leader.etcd!.id, term: termOf(leader) };
}

/** A cluster whose leader is away makes another member the leader. */
export function electLeader(world: World): void {
  const serving = etcdMembers(world);
  for (const machine of serving) {
    const leader = highest(peersOf(world, machine));
    const able = serving.filter((one) => one.etcd!.cluster === machine.etcd!.cluster && !isLearner(world, one));
    if (able.includes(leader) || !able[0]) continue;
    return lead(world, able[0], termOf(leader) + 1);
  }
}

const lead = (world: World, { mac }: MachineState, term: number) =>
  world.change("world", `${mac} leads etcd`, ({ machines }) => void (machines[mac]!.etcd!.term = term));

export interface Member {
  id: string;
  hostname: string;
  peer: string;
  client: string;
  learner: boolean;
}

/** What `etcd members` lists. */
export const membersOf = (world: World, machine: MachineState): Member[] =>
  peersOf(world, machine).map((peer) => {
    const [address] = ownAddresses(peer);
    return {
      id: peer.etcd!.id,
      hostname: peer.etcd!.name ?? hostnameOf(peer),
      peer: `https://${address}:2380`,
      client: `https://${address}:2379`,
      learner: isLearner(world, peer),
    };
  });

/** A member's address stays known while it is down. */
const ownAddresses = (machine: MachineState) => addressesOf({ ...machine, stage: "running" });

/** The figures of `etcd status`. */
export const statusOf = (world: World, machine: MachineState) => ({
  size: 4_200_000,
  used: 2_100_000,
  index: 1200,
  leader: leaderOf(world, machine),
  learner: isLearner(world, machine),
  protocol: "3.6.0",
  storage: "3.6.0",
});

/** Hands leadership on; undefined when this node does not lead, and then nothing happens. */
export function forfeitLeadership(world: World, machine: MachineState): { member: string | undefined } | Status {
  const { id, term } = leaderOf(world, machine);
  if (machine.etcd!.id !== id) return { member: undefined };
  const able = etcdMembers(world).filter((one) => one.etcd!.cluster === machine.etcd!.cluster && !isLearner(world, one));
  const next = able.find((one) => one.mac !== machine.mac);
  if (!next) return { member: undefined };
  world.change("product", `forfeit etcd leadership of ${machine.vm}`, ({ machines }) => void (machines[next.mac]!.etcd!.term = term + 1));
  return { member: next.etcd!.id };
}

/** Puts a member out of the cluster by its id. Its data stays on its disk. */
export function removeMember(world: World, machine: MachineState, id: string): Status | undefined {
  const peer = peersOf(world, machine).find(({ etcd }) => etcd!.id === id);
  if (!peer) return { code: "NotFound", description: "etcdserver: member not found" };
  world.change("product", `remove ${peer.vm} from etcd`, ({ machines }) => void (machines[peer.mac]!.etcd!.out = "removed"));
  return undefined;
}

/** A node leaves etcd by itself, and takes its data with it. */
export function leaveCluster(world: World, machine: MachineState): undefined {
  world.change("product", `${machine.vm} leaves etcd`, ({ machines }) => void (machines[machine.mac]!.etcd!.out = "left"));
}
