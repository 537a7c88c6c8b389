// The NAS as the rest of the home sees it: its VMs are machines, its releases have names, and some of it counts at the end of a run.
import { readIso } from "./factory.ts";
import type { VmView } from "./life.ts";
import type { Device, NasState, Vm } from "./nas.ts";

/** The version of the server for the name of a release. */
export const RELEASES: Record<string, string> = { "25.04.2": "25.04.2", "25.10": "25.10.5", "26": "26.0.0" };

/** The NAS's VMs as the machines that they are: a NIC, disks in the order of the firmware, what is in the CD-ROM drive. */
export const vmsOf = (nas: Readonly<NasState>): VmView[] => nas.vms.map((vm) => viewOf(nas, vm));

function viewOf(nas: Readonly<NasState>, vm: Vm): VmView {
  const devices = [...vm.devices].sort((a, b) => (a.order ?? 1000) - (b.order ?? 1000));
  const of = (dtype: string) => devices.filter(({ attributes }) => attributes.dtype === dtype);
  const disks = of("DISK");
  const cdrom = of("CDROM")[0]?.attributes.path;
  return {
    name: vm.name,
    running: vm.state === "RUNNING",
    mac: of("NIC")[0]?.attributes.mac ?? vm.mac,
    bus: disks[0]?.attributes.type === "VIRTIO" ? "vd" : "sd",
    disks: disks.flatMap((device) => diskOf(nas, device)),
    iso: cdrom ? readIso(Buffer.from(nas.files[cdrom]?.head ?? "")) : undefined,
  };
}

function diskOf(nas: Readonly<NasState>, { attributes: { path } }: Device) {
  const name = (path ?? "").replace(/^\/dev\/zvol\//, "");
  const zvol = nas.datasets.find((dataset) => dataset.type === "VOLUME" && dataset.name === name);
  return zvol ? [{ path: name, id: zvol.guid, bytes: zvol.volsize ?? 0 }] : [];
}

/** What counts of the NAS at the end of a run: no ids, no times, no key. */
export const normalisedNas = ({ datasets, folders, files, vms }: Readonly<NasState>) => ({
  datasets: datasets
    .map(({ name, type, volsize, volblocksize, sparse }) => ({ name, type, volsize, volblocksize, sparse }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
  folders: [...folders].sort(),
  files: Object.entries(files)
    .map(([path, { size, sha256, mode }]) => ({ path, size, sha256, mode }))
    .sort((a, b) => (a.path < b.path ? -1 : 1)),
  vms: vms
    .map(({ id: _id, uuid: _uuid, pid: _pid, devices, ...vm }) => ({
      ...vm,
      devices: devices.map(({ order, attributes }) => ({ order, attributes: withoutSecrets(attributes) })),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
});

const withoutSecrets = ({ password, ...attributes }: Record<string, unknown>) => ({
  ...attributes,
  ...(password !== undefined && { password: "set" }),
});

/** Whether something on the NAS will change by itself: a zvol that is still held by a VM that has stopped. */
export const nasPending = ({ datasets }: Readonly<NasState>, now: number) => datasets.some(({ busyUntil = 0 }) => busyUntil > now);
