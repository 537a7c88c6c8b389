// The NAS as the rest of the home sees it: its VMs are machines, its releases have names, and some of it counts at the end of a run.
import { readIso } from "../talos/factory.ts";
import type { VmView } from "../life.ts";
import type { Attributes, NasState, Vm } from "./nas.ts";
import { zvolAt } from "./datasets.ts";
import { halt } from "./power.ts";
import { orderOf } from "./vms.ts";
import type { World } from "../world.ts";

/** The version of the server for the name of a release. */
export const RELEASES: Record<string, string> = { "25.04.2": "25.04.2", "25.10": "25.10.5", "26": "26.0.0" };

/** The NAS's VMs as the machines that they are: a NIC, disks in the order of the firmware, what is in the CD-ROM drive. */
export const vmsOf = (nas: Readonly<NasState>): VmView[] => nas.vms.map((vm) => viewOf(nas, vm));

function viewOf(nas: Readonly<NasState>, vm: Vm): VmView {
  const devices = [...vm.devices].sort((a, b) => orderOf(a) - orderOf(b) || a.id - b.id);
  const all = (dtype: string): Attributes[] => devices.map(({ attributes }) => attributes).filter((each) => each.dtype === dtype);
  const disks = all("DISK");
  const cdrom = all("CDROM")[0]?.path;
  return {
    name: vm.name,
    running: vm.state === "RUNNING",
    mac: all("NIC")[0]?.mac ?? vm.mac,
    bus: disks[0]?.type === "VIRTIO" ? "vd" : "sd",
    disks: disks.flatMap(({ path }) => {
      const zvol = zvolAt(nas, path ?? "");
      return zvol ? [{ path: zvol.name, id: zvol.guid, bytes: zvol.volsize! }] : [];
    }),
    iso: cdrom ? readIso(Buffer.from(nas.files[cdrom]?.head ?? "")) : undefined,
  };
}

/** A guest has powered itself off. */
export function haltMachine(world: World, mac: string): void {
  const vm = world.state.nas.vms.find((vm) => viewOf(world.state.nas, vm).mac?.toLowerCase() === mac);
  if (vm) world.change("world", `${vm.name} is off`, ({ nas }) => halt(nas, vm.id, world.now()));
}

/** What counts of the NAS at the end of a run: no ids, no times, no key, nothing random, and nothing that depends on which of two calls came first. */
export const normalisedNas = ({ datasets, folders, files, vms }: Readonly<NasState>) => ({
  datasets: datasets
    .map(({ name, type, volsize, volblocksize, sparse }) => ({ name, type, volsize, volblocksize, sparse }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
  folders: [...folders].sort(),
  files: Object.entries(files)
    .map(([path, { size, sha256, mode }]) => ({ path, size, sha256, mode }))
    .sort((a, b) => (a.path < b.path ? -1 : 1)),
  vms: vms
    .map(({ id: _id, uuid: _uuid, pid: _pid, mac: _mac, devices, ...vm }) => ({
      ...vm,
      devices: devices
        .map(({ order, attributes: { serial: _serial, ...attributes } }) => ({ order, attributes }))
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
});

/** Whether something on the NAS will change by itself: a guest that was told to shut down, a zvol that is still held by a VM that has stopped. */
export const nasPending = ({ datasets, vms }: Readonly<NasState>, now: number) =>
  datasets.some(({ busyUntil = 0 }) => busyUntil > now) || vms.some(({ stopsAt }) => stopsAt !== undefined);
