// Whether a node can be asked about etcd.
import { serves } from "./etcd.ts";
import { configOf } from "./machines.ts";
import { unreachable } from "./reach.ts";
import type { World } from "../world.ts";
import type { Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

/** Why this node says nothing of etcd; undefined when it does. Its API dials etcd on its own address. */
export function etcdOf(world: World, machine: MachineState, what: string): Status | undefined {
  if (configOf(machine)?.type !== "controlplane")
    return { code: "Unimplemented", description: `${what} is only available on control plane nodes` };
  return serves(world, machine)
    ? undefined
    : unreachable("transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused");
}
