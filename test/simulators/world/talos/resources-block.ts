// What a node shows of its disks and of what is on them.
import { holdsData } from "../stranger.ts";
import type { Kind, Resource } from "./resource-kind.ts";
import type { Disk, MachineState } from "./machine-state.ts";

const pretty = (bytes: number) => `${Math.round(bytes / 1000 ** 3)} GB`;

export const BLOCK: Kind[] = [
  {
    type: "Disks.block.talos.dev",
    namespace: "runtime",
    name: "Disk",
    aliases: ["disk", "disks"],
    columns: {
      SIZE: "{.pretty_size}",
      "READ ONLY": "{.readonly}",
      TRANSPORT: "{.transport}",
      ROTATIONAL: "{.rotational}",
      WWID: "{.wwid}",
      MODEL: "{.model}",
      SERIAL: "{.serial}",
    },
    list: (_world, { disks }) =>
      disks.map(({ device, bytes, path }) => ({
        id: device.slice(5),
        spec: {
          dev_path: device,
          size: bytes,
          pretty_size: pretty(bytes),
          io_size: 512,
          sector_size: 512,
          readonly: false,
          cdrom: false,
          serial: path.split("/").at(-1),
          sub_system: "/sys/class/block",
          transport: "virtio",
        },
      })),
  },
  {
    type: "SystemDisks.block.talos.dev",
    namespace: "runtime",
    name: "SystemDisk",
    aliases: ["systemdisk", "systemdisks"],
    columns: { DISK: "{.diskID}" },
    list: (_world, { installed, disks }) =>
      installed
        ? disks
            .filter(({ id }) => id === installed.disk)
            .map(({ device }) => ({ id: "system-disk", spec: { diskID: device.slice(5), devPath: device } }))
        : [],
  },
  {
    type: "DiscoveredVolumes.block.talos.dev",
    namespace: "runtime",
    name: "DiscoveredVolume",
    aliases: ["discoveredvolume", "discoveredvolumes", "dv"],
    columns: {
      TYPE: "{.type}",
      SIZE: "{.pretty_size}",
      DISCOVERED: "{.name}",
      LABEL: "{.label}",
      PARTITIONLABEL: "{.partition_label}",
    },
    list: (world, machine) =>
      machine.disks.flatMap((disk, index) => volumesOf(disk, machine, holdsData(world, machine) ? OLD[index] : undefined)),
  },
];

interface Partition {
  label: string;
  filesystem: string;
}

/** What somebody left on the first disks: a format of its own each, or a partition table with partitions. */
const OLD: { format: string; partitions: Partition[] }[] = [
  { format: "gpt", partitions: [{ label: "photos", filesystem: "ext4" }] },
  { format: "bluestore", partitions: [] },
];

/** A disk and its partitions: those of Talos when it is installed there, or what was on it before. */
function volumesOf({ device, bytes, id }: Disk, { installed, config }: MachineState, old?: (typeof OLD)[number]): Resource[] {
  const name = device.slice(5);
  const system = installed?.disk === id;
  const volume = (id: string, type: string, size: number, more: object) => ({
    id,
    spec: {
      dev_path: `/dev/${id}`,
      type,
      device_path: `/sys/class/block/${id}`,
      ...(type === "partition" && { parent: name, parent_dev_path: device }),
      offset: 0,
      size,
      pretty_size: pretty(size),
      ...more,
    },
  });
  const labels = config ? ["EFI", "META", "STATE", "EPHEMERAL"] : ["EFI", "META"];
  const talos = { format: "gpt", partitions: labels.map((label) => ({ label, filesystem: FILESYSTEMS[label] ?? "" })) };
  const { format, partitions } = system ? talos : (old ?? { format: "", partitions: [] });
  return [
    volume(name, "disk", bytes, { name: format }),
    ...partitions.map(({ label, filesystem }, index) =>
      volume(`${name}${index + 1}`, "partition", label === "EPHEMERAL" ? bytes - 3e9 : 1e9, {
        name: filesystem,
        ...(filesystem && { label }),
        partition_label: label,
        partition_index: index + 1,
      }),
    ),
  ];
}

const FILESYSTEMS: Record<string, string> = { EFI: "vfat", STATE: "xfs", EPHEMERAL: "xfs" };
