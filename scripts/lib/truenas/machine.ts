// The parts of a node's VM as TrueNAS parameters, and how an existing VM differs from them.
import type { Cluster, Node } from "../cluster/cluster.ts";
import type { Device, Vm } from "./queries.ts";

export interface Zvol {
  /** `flashstor/VM/k8s_0-boot`. */
  name: string;
  /** Bytes. */
  volsize: number;
}

export interface Machine {
  /** TrueNAS' name: letters, digits and underscores only. */
  name: string;
  boot: Zvol;
  data: Zvol;
  /** Parameters of `vm.create`. */
  vm: VmSpec;
  /** Parameters of `vm.device.create`, in the order of creation; `order` is the boot order. */
  devices: DeviceSpec[];
}

export interface VmSpec {
  name: string;
  description: string;
  vcpus: number;
  cores: number;
  threads: number;
  /** MiB. */
  memory: number;
  cpu_mode: "HOST-PASSTHROUGH";
  bootloader: "UEFI";
  autostart: boolean;
  time: "UTC";
  shutdown_timeout: number;
  ensure_display_device: boolean;
  suspend_on_snapshot: boolean;
}

export type DeviceSpec = Pick<Device, "order" | "attributes">;

const MiB = 1024 ** 2;

/** A zvol size must be a multiple of the block size; a multiple of 1 MiB fits every block size. */
export const volsizeOf = (bytes: number) => Math.ceil(bytes / MiB) * MiB;

/** The VM of a node. Its firmware boots the CD while the boot disk is empty, and the disk once Talos is installed. */
export function machineOf({ truenas, vm }: Pick<Cluster, "truenas" | "vm">, node: Node, iso: string): Machine {
  const boot = { name: `${truenas.vmDataset}/${node.vm}-boot`, volsize: volsizeOf(vm.bootDisk) };
  const data = { name: `${truenas.vmDataset}/${node.vm}-data`, volsize: volsizeOf(vm.dataDisk) };
  return {
    name: node.vm,
    boot,
    data,
    vm: {
      name: node.vm,
      description: `Talos node ${node.name}`,
      vcpus: vm.cpus,
      cores: 1,
      threads: 1,
      memory: Math.floor(vm.memory / MiB),
      cpu_mode: "HOST-PASSTHROUGH",
      bootloader: "UEFI",
      autostart: true,
      time: "UTC", // Linux reads the clock as UTC
      shutdown_timeout: 90,
      ensure_display_device: true,
      suspend_on_snapshot: false, // from TrueNAS 26 the default is true: a node that is suspended falls out of etcd
    },
    devices: [
      { order: 1001, attributes: { dtype: "DISK", type: "VIRTIO", path: device(boot) } },
      { order: 1002, attributes: { dtype: "NIC", type: "VIRTIO", nic_attach: truenas.bridge, mac: node.mac } },
      { order: 1004, attributes: { dtype: "DISK", type: "VIRTIO", path: device(data) } },
      { order: 1010, attributes: { dtype: "CDROM", path: iso } },
    ],
  };
}

/** Where TrueNAS shows a zvol; a space in its name is a plus there. */
const device = ({ name }: Zvol) => `/dev/zvol/${name.replaceAll(" ", "+")}`;

/** What a device is, whatever number TrueNAS gave it: a disk or CD its path, a NIC its MAC. */
export const identity = ({ attributes: { dtype, path, mac } }: DeviceSpec) =>
  `${dtype} ${dtype === "NIC" ? (mac?.toLowerCase().replaceAll("-", ":") ?? "without a MAC") : (path ?? "")}`.trim();

/** Wanted devices that the VM does not have yet. */
export const missingDevices = (vm: Pick<Vm, "devices">, machine: Machine): DeviceSpec[] =>
  machine.devices.filter((wanted) => !vm.devices.some((there) => identity(there) === identity(wanted)));

const COMPARED = ["memory", "vcpus", "cores", "threads", "cpu_mode", "bootloader", "autostart", "time", "suspend_on_snapshot"] as const;

/** How the VM differs from the plan, a line each: settings, and devices that have other settings or are not in the plan. Missing devices are not differences. */
export function differences(vm: Vm, machine: Machine): string[] {
  const settings = COMPARED.filter((key) => vm[key] !== undefined && vm[key] !== machine.vm[key]).map(
    (key) => `${key} is ${String(vm[key])}, wanted ${String(machine.vm[key])}`,
  );
  const seen = new Set<string>();
  const devices = vm.devices.flatMap((there) => {
    const id = identity(there);
    const wanted = machine.devices.find((spec) => identity(spec) === id);
    if (!wanted) return [`it has ${id}, which is not wanted`];
    if (seen.has(id)) return [`it has ${id} twice`];
    seen.add(id);
    const { nic_attach: bridge, type } = wanted.attributes;
    return [
      there.order !== wanted.order && `${id} has order ${there.order}, wanted ${wanted.order}`,
      bridge !== undefined &&
        there.attributes.nic_attach !== bridge &&
        `${id} is on ${String(there.attributes.nic_attach)}, wanted ${bridge}`,
      type !== undefined && there.attributes.type !== type && `${id} is ${String(there.attributes.type)}, wanted ${type}`,
    ].filter((line) => line !== false);
  });
  return [...settings, ...devices];
}

/** The same, including missing devices; empty if the VM is exactly as planned. */
export const deviations = (vm: Vm, machine: Machine): string[] => [
  ...differences(vm, machine),
  ...missingDevices(vm, machine).map((spec) => `it has no ${identity(spec)}`),
];
