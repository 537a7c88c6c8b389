// How machines move on by themselves: the VM is started, firmware finds something to boot, Talos installs, reboots, joins etcd. One small step at a time, and none when nothing is due.
import { randomUUID } from "node:crypto";
import { configOf, nextDue, PACE } from "./talos/machines.ts";
import { electLeader, joinEtcd } from "./talos/etcd.ts";
import { normalisedMac } from "./nas/device-rules.ts";
import { boot, goDown } from "./talos/power.ts";
import type { State, World } from "./world.ts";
import type { MachineState, Medium } from "./talos/machine-state.ts";

/** A VM of the hypervisor, as much of it as a machine is made of. */
export interface VmView {
  name: string;
  running: boolean;
  mac: string | undefined;
  /** In the order in which the firmware sees them. */
  disks: { path: string; id: string; bytes: number }[];
  /** What is on the ISO in the CD-ROM drive. */
  iso: Medium | undefined;
  /** `vd` for VirtIO, `sd` for AHCI. */
  bus: string;
}

export interface Surroundings {
  vms(): VmView[];
  /** The address that DHCP has for this MAC. */
  lease(mac: string): string;
  /** Whether an installer image can be pulled. */
  hasInstaller(medium: Medium): boolean;
  /** The guest powers itself off. */
  halt(mac: string): void;
}

/** Moves every machine on by what is due now. Returns when the next thing is due by itself; Infinity when nothing is. */
export function tickMachines(world: World, around: Surroundings): number {
  followPower(world, around);
  for (const machine of Object.values(world.state.machines)) {
    if (machine.stage === "away" && !world.has("node-stays-away"))
      enter(world, machine.mac, "comes back", (it) => later(it, "rebooting", world.now() + PACE.reboot));
    else if (machine.revertAt !== undefined && machine.revertAt <= world.now())
      enter(world, machine.mac, "goes back to the config that it keeps", revert);
    else if (machine.due !== undefined && machine.due <= world.now()) step(world, machine, around);
  }
  joinEtcd(world);
  electLeader(world);
  return nextDue(world.state, world.now());
}

const enter = (world: World, mac: string, what: string, change: (machine: MachineState, state: State) => void) =>
  world.change("world", `${mac} ${what}`, (state) => change(state.machines[mac]!, state));

function revert(machine: MachineState): void {
  if (machine.config) machine.config.active = machine.config.persistent;
  delete machine.revertAt;
}

function later(machine: MachineState, stage: MachineState["stage"], due?: number): void {
  machine.stage = stage;
  if (due === undefined) delete machine.due;
  else machine.due = due;
}

/** A VM that runs has a machine that is on; one that was stopped, or is gone, has not. */
function followPower(world: World, around: Surroundings): void {
  const vms = around.vms();
  for (const vm of vms) {
    if (!vm.mac || !vm.running) continue;
    const mac = normalisedMac(vm.mac);
    const stage = world.state.machines[mac]?.stage;
    if (stage === undefined || stage === "off") switchOn(world, mac, vm, around);
  }
  const byMac = new Map(vms.map((vm) => [vm.mac && normalisedMac(vm.mac), vm]));
  for (const { mac, stage } of Object.values(world.state.machines)) {
    const vm = byMac.get(mac);
    if (stage !== "off" && !vm?.running) enter(world, mac, "is switched off", (machine) => later(machine, "off"));
    else if (!vm && stage === "off") world.change("world", `${mac} is no more`, (state) => void delete state.machines[mac]);
  }
}

function switchOn(world: World, mac: string, vm: VmView, { lease }: Surroundings): void {
  const slow = world.strikes("node-slow");
  const disks = vm.disks.map(({ path, id, bytes }, index) => ({ device: `/dev/${vm.bus}${"abcdefgh"[index]}`, path, id, bytes }));
  world.change("world", `${vm.name} starts`, ({ machines }) => {
    const had = machines[mac];
    const machine: MachineState = {
      mac,
      vm: vm.name,
      lease: had?.lease ?? lease(mac),
      disks,
      stage: "booting",
      bootId: randomUUID(),
      ...(vm.iso && { iso: vm.iso }),
    };
    // what was installed stays on its zvol, and is gone with it
    if (had?.installed && disks.some(({ id }) => id === had.installed?.disk)) Object.assign(machine, keep(had));
    later(machine, "booting", world.now() + (slow ? PACE.slowBoot : PACE.boot));
    machines[mac] = machine;
  });
}

const keep = ({ installed, next, previous, config, etcd }: MachineState) => ({
  ...(installed && { installed }),
  ...(next && { next }),
  ...(previous && { previous }),
  ...(config && { config: { active: config.persistent, persistent: config.persistent } }),
  ...(etcd && { etcd }),
});

function step(world: World, machine: MachineState, around: Surroundings): void {
  const now = world.now();
  switch (machine.stage) {
    case "booting":
    case "rebooting":
      if (
        machine.stage === "rebooting" &&
        machine.installed &&
        world.has("node-stays-away") &&
        !Object.values(world.state.machines).some(({ stage }) => stage === "away")
      ) {
        return enter(world, machine.mac, "does not come back", (it) => later(it, "away"));
      }
      if (machine.next && world.strikes("node-boots-old-version"))
        enter(world, machine.mac, "falls back to the system that it had", (it) => void delete it.next);
      return enter(world, machine.mac, "has booted", (it) => boot(it, now));
    case "running":
      if (!machine.leaving) return enter(world, machine.mac, "is as it is", (it) => later(it, it.stage));
      return enter(world, machine.mac, "goes down", (it) => {
        const { halts } = goDown(it);
        if (halts) around.halt(it.mac);
        later(it, halts ? "off" : "rebooting", halts ? undefined : now + PACE.reboot);
      });
    case "installing":
      return enter(world, machine.mac, "has installed", (it) => {
        const outcome = install(it, around);
        if (typeof outcome === "string") {
          it.complaint = outcome; // as on a real node: it reboots, and is in maintenance again
          delete it.config;
        } else {
          it.installed = outcome;
          delete it.complaint;
        }
        later(it, "rebooting", now + PACE.reboot);
      });
    default:
      return enter(world, machine.mac, "is as it is", (it) => later(it, it.stage));
  }
}

const IMAGE = /^(?:factory\.talos\.dev\/(?:(\w+)-)?installer(?:-secureboot)?\/([0-9a-f]{64})|ghcr\.io\/siderolabs\/installer):(v[\w.-]+)$/;

/** What an installer image is; undefined for a name that is none. */
export function readInstaller(image: string): Medium | undefined {
  const [, platform = "metal", schematic = "", talos = ""] = IMAGE.exec(image) ?? [];
  return talos ? { talos, schematic, platform } : undefined;
}

/** What the machine has on its disk after installing by its config, or why it could not. */
function install(machine: MachineState, around: Surroundings): NonNullable<MachineState["installed"]> | string {
  const { disk = "", image = "" } = configOf(machine)?.install ?? {};
  const target = machine.disks.find(({ device }) => device === disk);
  if (!target) return `failed to install: failed to open ${disk}: no such file or directory`;
  const medium = readInstaller(image);
  if (!medium || !around.hasInstaller(medium)) return `failed to install: failed to pull image ${JSON.stringify(image)}: not found`;
  return { ...medium, disk: target.id };
}
