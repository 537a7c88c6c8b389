// What a machine without a config has on the disks that an install concerns. Talos tells which formats it recognises; a disk that it could not probe counts as not blank.

/** A disk as `talosctl get disks` shows it. */
export interface Disk {
  metadata: { id: string };
  spec: { dev_path: string; pretty_size?: string; cdrom?: boolean; readonly?: boolean; symlinks?: string[]; secondary_disks?: string[] };
}

/** A disk or a partition as `talosctl get discoveredvolumes` shows it. */
export interface Volume {
  metadata: { id: string };
  spec: { parent?: string; name?: string; label?: string; partition_label?: string };
}

/** What was read, or why it could not be. */
export type Read<T> = { got: T[] } | { said: string };

export interface DiskContents {
  device: string;
  /** The install writes to the system disk only. The data disk is Ceph's, which takes it only blank. */
  role: "system" | "data";
  size?: string;
  holds: { blank: true } | { found: string } | { unknown: string };
}

/** Only a disk that is known to be blank is installed over without its node's name being typed. */
export const isBlank = ({ holds }: DiskContents) => "blank" in holds;

/** `system disk /dev/vda (500 GB): gpt with EFI (vfat), EPHEMERAL (xfs)`. */
export function contentsLine({ device, role, size, holds }: DiskContents): string {
  const what = "found" in holds ? holds.found : "unknown" in holds ? `unknown: ${holds.unknown}` : "blank";
  return `${role} disk ${device}${size ? ` (${size})` : ""}: ${what}`;
}

/** The disks that an install concerns, as the config and the hypervisor name them. */
export interface Concerned {
  /** Undefined where the config selects the disk by a property: then it can be any. */
  install: string | undefined;
  /** For Ceph. */
  data: string;
}

/** The contents of the system disk and, where the machine has one, of the data disk. */
export function contentsOf({ install, data }: Concerned, disks: Read<Disk>, volumes: Read<Volume>): DiskContents[] {
  if ("said" in disks) return [unreadable(install, disks.said)];
  const there = disks.got.filter(({ spec }) => !spec.cdrom && !spec.readonly);
  const known = there.flatMap((disk): DiskContents[] => {
    const role = install === undefined || isCalled(disk, install) ? "system" : isCalled(disk, data) ? "data" : undefined;
    if (role === undefined) return [];
    const { dev_path: device, pretty_size: size } = disk.spec;
    const holds = "said" in volumes ? { unknown: volumes.said } : holdings(disk, volumes.got, disks.got);
    return [{ device, role, ...(size && { size }), holds }];
  });
  if (known.some(({ role }) => role === "system")) return known;
  const names = there.map(({ spec }) => spec.dev_path).join(", ") || "none";
  return [unreadable(install, `the machine does not have this disk; its disks: ${names}`), ...known];
}

const isCalled = ({ spec }: Disk, device: string) => device === spec.dev_path || (spec.symlinks?.includes(device) ?? false);

const unreadable = (device: string | undefined, unknown: string): DiskContents => ({
  device: device ?? "chosen by Talos",
  role: "system",
  holds: { unknown },
});

function holdings({ metadata: { id } }: Disk, volumes: Volume[], disks: Disk[]): DiskContents["holds"] {
  const whole = volumes.find((volume) => volume.metadata.id === id);
  if (!whole) return { unknown: "Talos could not probe it" };
  const parts = volumes.filter(({ spec }) => spec.parent === id).map(partLine);
  const format = whole.spec.name || (parts.length > 0 ? "a partition table" : "");
  const found = [
    ...(format ? [parts.length > 0 ? `${format} with ${parts.join(", ")}` : format] : []),
    ...disks.filter(({ spec }) => spec.secondary_disks?.includes(id)).map(({ spec }) => `part of ${spec.dev_path}`), // LVM, software RAID
  ];
  return found.length > 0 ? { found: found.join("; ") } : { blank: true };
}

/** `EPHEMERAL (xfs)`, `sda1 (ext4)`, `sda2`. */
const partLine = ({ metadata: { id }, spec: { name, label, partition_label } }: Volume) =>
  `${partition_label || label || id}${name ? ` (${name})` : ""}`;
