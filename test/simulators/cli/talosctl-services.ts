// talosctl etcd, service, time.
import { membersOf, serves, statusOf } from "../world/etcd.ts";
import type { MachineState } from "../world/machines.ts";
import { Untaught } from "../world/tool.ts";
import type { World } from "../world/world.ts";
import { columns } from "./table.ts";
import { fanOut, reach, type TalosCall, TalosError } from "./talosctl-client.ts";
import { servicesOf } from "../world/talos-status.ts";

/** What a node without etcd says: its API dials etcd on its own address. */
const NO_ETCD =
  'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"';

export async function etcdCommand(talos: TalosCall): Promise<void> {
  const { world, call, rest } = talos;
  const [action] = rest;
  if (rest.length !== 1 || (action !== "members" && action !== "status")) throw new Untaught();
  const targets = (await reach(talos)).map((target) =>
    "machine" in target && !serves(world, target.machine) ? { node: target.node, error: NO_ETCD } : target,
  );
  const { answered, error } = fanOut(targets, false);
  if (answered.length === 0) throw new TalosError(`error getting ${action}: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  call.out(columns(action === "members" ? memberRows(world, answered) : statusRows(world, answered)));
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

export async function serviceCommand(talos: TalosCall): Promise<void> {
  const { world, call, rest } = talos;
  const [id, action = "status", ...more] = rest;
  if (action !== "status" || more.length > 0) throw new Untaught();
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error listing services: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  const all = answered.flatMap(({ node, machine }) => servicesOf(world, machine).map((service) => ({ node, ...service })));
  if (id === undefined) {
    call.out(
      columns([
        ["NODE", "SERVICE", "STATE", "HEALTH", "LAST CHANGE", "LAST EVENT"],
        ...all.map(({ node, id, state, healthy, event }) => [node, id, state, healthy ? "OK" : "?", "10s ago", event]),
      ]),
    );
    return;
  }
  const found = all.filter((service) => service.id === id);
  if (found.length === 0) throw new TalosError(`service ${JSON.stringify(id)} is not registered on any nodes`);
  call.out(
    columns(
      found.flatMap(({ node, id, state, healthy, event }) => [
        ["NODE", node],
        ["ID", id],
        ["STATE", state],
        ["HEALTH", healthy ? "OK" : "?"],
        ["EVENTS", `[${state}]: ${event} (10s ago)`],
      ]),
    ),
  );
}

/** Only the directory that tells whether etcd ever ran. */
export async function listCommand(talos: TalosCall): Promise<void> {
  const { call, rest } = talos;
  if (rest.length !== 1 || rest[0] !== "/var/lib/etcd") throw new Untaught();
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error fetching logs: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  call.out(
    columns([
      ["NODE", "NAME"],
      ...answered.flatMap(({ node, machine }) => [".", ...(machine.etcd ? ["member"] : [])].map((name) => [node, name])),
    ]),
  );
}

/** The node's own clock; the home's nodes have the right time once they are in sync. */
export async function timeCommand(talos: TalosCall): Promise<void> {
  const { world, call } = talos;
  const { answered, error } = fanOut(await reach(talos), false);
  if (answered.length === 0) throw new TalosError(`error fetching time: ${error}`);
  if (error !== undefined) call.err(`WARNING: ${error}\n`);
  const stamp = (ms: number) => new Date(ms).toISOString().replace("T", " ").replace("Z", " +0000 UTC");
  call.out(
    columns([
      ["NODE", "NTP-SERVER", "NODE-TIME", "NTP-SERVER-TIME"],
      ...answered.map(({ node }) => [node, "192.168.120.1", stamp(world.now()), stamp(world.now())]),
    ]),
  );
}
