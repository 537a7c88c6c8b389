// A Talos node goes down and comes up again: reboot, shutdown, reset, rollback. Each answers with the actor id by which a client follows it.
import { randomUUID } from "node:crypto";
import { configOf, PACE } from "./machines.ts";
import type { World } from "../world.ts";
import type { Status } from "./grpc-status.ts";
import type { Leaving, MachineState } from "./machine-state.ts";

type Begun = { actor: string } | Status;

/** Services stop now, the machine goes down a moment later. */
function leave(world: World, machine: MachineState, what: string, leaving: Omit<Leaving, "actor">): { actor: string } {
  const actor = randomUUID();
  world.change("product", `${what} ${machine.vm}`, ({ machines }) => {
    Object.assign(machines[machine.mac]!, { leaving: { actor, ...leaving }, due: world.now() + PACE.stop });
  });
  return { actor };
}

const runs = ({ stage }: MachineState): Status | undefined =>
  stage === "running" ? undefined : { code: "FailedPrecondition", description: "method is not supported in maintenance mode" };

export const reboot = (world: World, machine: MachineState): Begun =>
  runs(machine) ?? leave(world, machine, "reboot", { sequence: "reboot" });

export const shutdown = (world: World, machine: MachineState): Begun =>
  runs(machine) ?? leave(world, machine, "shut down", { sequence: "shutdown", halts: true });

export interface ResetWish {
  graceful: boolean;
  reboot: boolean;
  /** Labels of partitions; none means the whole system disk. */
  labels: string[];
  /** Devices besides the system disk. */
  userDisks: string[];
  mode: "ALL" | "SYSTEM_DISK" | "USER_DISKS";
}

/** Partitions of the system disk that can be wiped by name. */
const LABELS = ["EFI", "BIOS", "BOOT", "META", "STATE", "EPHEMERAL"];

/** Wipes and reboots or powers off. A graceful one leaves etcd first. */
export function reset(world: World, machine: MachineState, wish: ResetWish): Begun {
  const invalid = runs(machine) ?? wrongReset(machine, wish);
  if (invalid) return invalid;
  const wipes = wish.mode === "USER_DISKS" ? [] : wish.labels.length > 0 ? wish.labels : ["ALL"];
  if (wish.graceful && machine.etcd)
    world.change("world", `${machine.vm} leaves etcd`, ({ machines }) => void (machines[machine.mac]!.etcd!.out = "left"));
  return leave(world, machine, "reset", { sequence: "reset", wipes, halts: !wish.reboot });
}

function wrongReset({ disks, installed }: MachineState, { labels, userDisks, mode }: ResetWish): Status | undefined {
  const unknown = (description: string): Status => ({ code: "Unknown", description });
  if (userDisks.length > 0 && mode === "SYSTEM_DISK")
    return unknown("reset failed: invalid input, wipe mode SYSTEM_DISK doesn't support UserDisksToWipe parameter");
  for (const device of userDisks) {
    const disk = disks.find((disk) => disk.device === device);
    if (!disk) return unknown(`reset user disk failed: device ${device} wasn't found`);
    if (disk.id === installed?.disk) return unknown(`reset user disk failed: device ${device} is the system disk`);
  }
  if (labels.length > 0 && mode === "USER_DISKS")
    return unknown("reset failed: invalid input, wipe mode USER_DISKS doesn't support SystemPartitionsToWipe parameter");
  const label = labels.find((label) => !LABELS.includes(label));
  return label === undefined
    ? undefined
    : unknown(
        `failed to get volume status with label ${JSON.stringify(label)}: resource VolumeStatuses.block.talos.dev(runtime/${label}@undefined) doesn't exist`,
      );
}

/** Boots what was installed before the last upgrade. */
export function rollback(world: World, machine: MachineState): Status | undefined {
  const refused = runs(machine);
  if (refused) return refused;
  if (!machine.installed) return { code: "FailedPrecondition", description: "system disk not found" };
  const { previous } = machine;
  if (!previous) return { code: "Unknown", description: "previous UKI not found" };
  world.change("world", `${machine.vm} flips its boot entry`, ({ machines }) => void (machines[machine.mac]!.next = previous));
  leave(world, machine, "roll back", { sequence: "reboot" });
  return undefined;
}

/** What the sequence did to the disk by the time the machine is down. */
export function goDown(machine: MachineState): { halts: boolean } {
  const { wipes = [], halts = false } = machine.leaving ?? {};
  const all = wipes.includes("ALL");
  if (all) for (const name of ["installed", "next", "previous"] as const) delete machine[name];
  if (all || wipes.includes("STATE")) delete machine.config;
  if (all || wipes.includes("EPHEMERAL")) delete machine.etcd;
  if (halts) delete machine.leaving;
  return { halts };
}

/** The machine is up: what it boots, by which config, and whether it is ready at once. */
export function boot(machine: MachineState, now: number): void {
  machine.bootId = randomUUID();
  if (machine.next && machine.installed) Object.assign(machine, { previous: machine.installed, installed: machine.next });
  delete machine.next;
  delete machine.due;
  if (machine.config) machine.config.active = machine.config.persistent;
  if (machine.etcd?.out === "left") delete machine.etcd;
  machine.stage = machine.installed && machine.config ? "running" : machine.installed || machine.iso ? "maintenance" : "dead";
  if (machine.leaving && configOf(machine)) machine.readyFrom = now + PACE.ready;
  delete machine.leaving;
}
