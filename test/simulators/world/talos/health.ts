// What a control plane checks when it is asked for the health of the cluster, in Talos' order and words.
import * as cluster from "../cluster/cluster.ts";
import { membersOf, serves } from "./etcd.ts";
import { addressesOf, apiServerUp, configOf, hostnameOf, runningNodes } from "./machines.ts";
import type { World } from "../world.ts";
import type { Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

export interface Check {
  name: string;
  /** What is wrong; undefined when nothing is. */
  wrong: string | undefined;
}

const listed = (nodes: MachineState[]) => JSON.stringify(nodes.map((node) => addressesOf(node)[0]));

/** The nodes of the cluster that a machine is in, as its discovery knows them. */
export function discovered(world: World, machine: MachineState): MachineState[] {
  const id = configOf(machine)?.cluster.id;
  return runningNodes(world.state).filter((one) => configOf(one)?.cluster.id === id);
}

/** The checks of `talosctl health`, of which each waits for the one before. */
export function healthOf(world: World, machine: MachineState): Check[] {
  const nodes = discovered(world, machine);
  const planes = nodes.filter((node) => configOf(node)?.type === "controlplane");
  const unserved = planes.filter((node) => !serves(world, node));
  const odd = planes.filter((node) => serves(world, node) && membersOf(world, node).length !== planes.length);
  const api = apiServerUp(world) ? undefined : "connection to the API server refused";
  const unready = api ? [] : nodes.filter((node) => !cluster.nodeReady(world.state, hostnameOf(node)));
  return [
    {
      name: "etcd to be healthy",
      wrong: unserved.length ? `${listed(unserved)}: service "etcd" not in expected state "Running"` : undefined,
    },
    { name: "etcd members to be consistent across nodes", wrong: odd.length ? `etcd member counts of ${listed(odd)} differ` : undefined },
    { name: "etcd members to be control plane nodes", wrong: undefined },
    { name: "apid to be ready", wrong: undefined },
    { name: "all nodes memory sizes", wrong: undefined },
    { name: "all nodes disk sizes", wrong: undefined },
    { name: "no diagnostics", wrong: undefined },
    { name: "kubelet to be healthy", wrong: undefined },
    { name: "all nodes to finish boot sequence", wrong: undefined },
    { name: "all k8s nodes to report", wrong: api },
    { name: "all control plane static pods to be running", wrong: api },
    { name: "all control plane components to be ready", wrong: api },
    {
      name: "all k8s nodes to report ready",
      wrong: unready.length ? `some nodes are not ready: [${unready.map(hostnameOf).join(" ")}]` : undefined,
    },
  ];
}

/** Health is asked of a control plane. */
export const healthRefused = (machine: MachineState): Status | undefined =>
  configOf(machine)?.type === "controlplane"
    ? undefined
    : { code: "Unimplemented", description: "cluster health is only available on control plane nodes" };
