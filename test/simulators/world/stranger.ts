// A machine that is not the one the operator means: it answers at the address of the first node, or it has that node's disks with somebody's data on them.
import { randomUUID } from "node:crypto";
import { machineAt } from "./talos/machines.ts";
import type { World } from "./world.ts";
import type { MachineState } from "./talos/machine-state.ts";

const isFirst = (world: World, { lease }: MachineState) => !Object.values(world.state.machines).some((other) => other.lease < lease);

/** Whether another machine without a config answers at this one's address. */
export const isStranger = (world: World, machine: MachineState) =>
  machine.stage === "maintenance" && world.has("node-address-taken") && isFirst(world, machine);

/** The MAC of the machine that answers. */
export const macOf = (world: World, machine: MachineState) => (isStranger(world, machine) ? "52:54:00:5a:6e:01" : machine.mac);

/** Whether somebody's data is on the disks of this machine. */
export const holdsData = (world: World, machine: MachineState) => world.has("disk-holds-data") && isFirst(world, machine);

/** Another machine takes the address of the one that was looked at: it has a key of its own. */
export function swapAt(world: World, address: string): void {
  const machine = machineAt(world, address);
  if (machine?.stage !== "maintenance" || !world.strikes("node-swapped")) return;
  world.change("world", `another machine answers at ${address}`, ({ machines }) => void (machines[machine.mac]!.bootId = randomUUID()));
}
