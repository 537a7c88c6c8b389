// MachineService: etcd of the control planes.
import { forfeitLeadership, leaveCluster, membersOf, removeMember, statusOf } from "../../world/talos/etcd.ts";
import { etcdOf } from "../../world/talos/etcd-access.ts";
import { snapshotOf } from "../../world/talos/etcd-snapshot.ts";
import type { Called, Stream, Unary } from "./routing.ts";

/** Member ids are shown in hexadecimal and sent as numbers of 64 bits. */
const sent = (hex: string) => BigInt(`0x${hex}`).toString();
const shown = (id: string) => BigInt(id).toString(16).padStart(16, "0");

/** Answers when etcd serves on this node. */
const serving =
  (what: string, answer: (called: Called) => object | ReturnType<Unary>): Unary =>
  (called) =>
    etcdOf(called.world, called.machine, what) ?? answer(called);

const snapshot: Stream = ({ world, machine }, send) => {
  const refused = etcdOf(world, machine, "etcd snapshot");
  if (refused) return refused;
  const bytes = snapshotOf();
  for (let at = 0; at < bytes.length; at += 8192) send({ bytes: bytes.subarray(at, at + 8192) });
  return undefined;
};

export const ETCD: { unary: Record<string, Unary>; streams: Record<string, Stream> } = {
  unary: {
    EtcdMemberList: serving("member list", ({ world, machine }) => {
      const members = membersOf(world, machine);
      return {
        legacy_members: members.map(({ hostname }) => hostname),
        members: members.map(({ id, hostname, peer, client, learner }) => ({
          id: sent(id),
          hostname,
          peer_urls: [peer],
          client_urls: [client],
          is_learner: learner,
        })),
      };
    }),
    EtcdStatus: serving("etcd status", ({ world, machine }) => {
      const { size, used, index, leader, learner, protocol, storage } = statusOf(world, machine);
      return {
        member_status: {
          member_id: sent(machine.etcd!.id),
          protocol_version: protocol,
          storage_version: storage,
          db_size: String(size),
          db_size_in_use: String(used),
          leader: sent(leader.id),
          raft_index: String(index),
          raft_term: String(leader.term),
          raft_applied_index: String(index),
          is_learner: learner,
          errors: [],
        },
      };
    }),
    EtcdForfeitLeadership: serving("etcd forfeit leadership", ({ world, machine }) => {
      const done = forfeitLeadership(world, machine);
      return "code" in done ? done : { member: done.member ?? "" };
    }),
    EtcdRemoveMemberByID: serving(
      "etcd remove member",
      ({ world, machine, request }) => removeMember(world, machine, shown(request.member_id)) ?? {},
    ),
    EtcdLeaveCluster: serving("etcd leave", ({ world, machine }) => (leaveCluster(world, machine), {})),
    EtcdAlarmList: serving("etcd alarm list", () => ({ member_alarms: [] })),
    EtcdAlarmDisarm: serving("etcd alarm list", () => ({ member_alarms: [] })),
    EtcdDefragment: serving("etcd defragment", () => ({})),
  },
  streams: { EtcdSnapshot: snapshot },
};
