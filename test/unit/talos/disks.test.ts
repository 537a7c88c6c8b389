// What counts as data on a disk that Talos would be installed on, and what does not.
import { describe, expect, test } from "vitest";
import { contentsLine, contentsOf, type Disk, isBlank, type Volume } from "../../../scripts/lib/talos/disks.ts";

const disk = (id: string, more: Partial<Disk["spec"]> = {}): Disk => ({
  metadata: { id },
  spec: { dev_path: `/dev/${id}`, pretty_size: "500 GB", ...more },
});
const volume = (id: string, spec: Volume["spec"]): Volume => ({ metadata: { id }, spec });
const concerned = { install: "/dev/vda", data: "/dev/vdb" };
const DISKS = [disk("vda"), disk("vdb", { pretty_size: "1.0 TB" }), disk("sr0", { cdrom: true })];
const BLANK = [
  volume("vda", { name: "" }),
  volume("vdb", { name: "" }),
  volume("sr0", { name: "iso9660" }),
  volume("loop0", { name: "squashfs" }),
];
const lines = (volumes: Volume[], disks = DISKS, wanted: Parameters<typeof contentsOf>[0] = concerned) =>
  contentsOf(wanted, { got: disks }, { got: volumes }).map(contentsLine);

test("two blank disks", () => {
  const found = contentsOf(concerned, { got: DISKS }, { got: BLANK });
  expect(found.map(contentsLine)).toEqual(["system disk /dev/vda (500 GB): blank", "data disk /dev/vdb (1.0 TB): blank"]);
  expect(found.every(isBlank)).toBe(true);
});

test.each<[string, Volume[], string]>([
  ["a filesystem on the whole disk", [volume("vda", { name: "xfs" })], "xfs"],
  ["an old OSD", [volume("vda", { name: "bluestore" })], "bluestore"],
  ["a physical volume of LVM", [volume("vda", { name: "lvm2-pv" })], "lvm2-pv"],
  ["a member of a ZFS pool", [volume("vda", { name: "zfs" })], "zfs"],
  ["an encrypted disk", [volume("vda", { name: "luks" })], "luks"],
  ["a partition table without a partition", [volume("vda", { name: "gpt" })], "gpt"],
  [
    "Talos itself",
    [
      volume("vda", { name: "gpt" }),
      volume("vda1", { parent: "vda", name: "vfat", label: "EFI", partition_label: "EFI" }),
      volume("vda2", { parent: "vda", name: "talosmeta", partition_label: "META" }),
      volume("vda3", { parent: "vda", partition_label: "STATE" }),
      volume("vda4", { parent: "vda", name: "xfs", partition_label: "EPHEMERAL" }),
    ],
    "gpt with EFI (vfat), META (talosmeta), STATE, EPHEMERAL (xfs)",
  ],
  [
    "partitions of a table that Talos does not recognise, as MBR",
    [volume("vda", { name: "" }), volume("vda1", { parent: "vda", name: "ext4", label: "root" }), volume("vda2", { parent: "vda" })],
    "a partition table with root (ext4), vda2",
  ],
])("%s is data", (_, volumes, found) => {
  const [install] = contentsOf(concerned, { got: DISKS }, { got: [...volumes, volume("vdb", { name: "" })] });
  expect([contentsLine(install!), isBlank(install!)]).toEqual([`system disk /dev/vda (500 GB): ${found}`, false]);
});

test("data on the data disk counts like data on the install disk", () =>
  expect(lines([volume("vda", { name: "" }), volume("vdb", { name: "bluestore" })])[1]).toBe("data disk /dev/vdb (1.0 TB): bluestore"));

test("a member of a software RAID is data, although Talos does not recognise its format", () =>
  expect(lines(BLANK, [...DISKS, disk("md0", { secondary_disks: ["vda"] })])[0]).toBe("system disk /dev/vda (500 GB): part of /dev/md0"));

describe("what is unknown is not blank", () => {
  const said = "API is not implemented in maintenance mode";
  test.each([
    ["the disks cannot be listed", contentsOf(concerned, { said }, { got: BLANK }), `system disk /dev/vda: unknown: ${said}`],
    ["their contents cannot be listed", contentsOf(concerned, { got: DISKS }, { said }), `system disk /dev/vda (500 GB): unknown: ${said}`],
    [
      "a disk was not probed",
      contentsOf(concerned, { got: DISKS }, { got: [] }),
      "system disk /dev/vda (500 GB): unknown: Talos could not probe it",
    ],
    [
      "the install disk does not exist",
      contentsOf({ install: "/dev/nvme0n1", data: "/dev/nvme1n1" }, { got: DISKS }, { got: BLANK }),
      "system disk /dev/nvme0n1: unknown: the machine does not have this disk; its disks: /dev/vda, /dev/vdb",
    ],
    [
      "the machine has no disk at all",
      contentsOf({ install: undefined, data: "/dev/vdb" }, { got: [] }, { got: [] }),
      "system disk chosen by Talos: unknown: the machine does not have this disk; its disks: none",
    ],
  ])("%s", (_, [install], line) => expect([contentsLine(install!), isBlank(install!)]).toEqual([line, false]));
});

test("a disk is known by its stable names too", () =>
  expect(
    lines(BLANK, [disk("vda", { symlinks: ["/dev/disk/by-id/virtio-k8s_0-boot"] })], {
      install: "/dev/disk/by-id/virtio-k8s_0-boot",
      data: "/dev/vdb",
    }),
  ).toEqual(["system disk /dev/vda (500 GB): blank"]));

test("a config that selects its disk can mean any disk, so all of them count", () =>
  expect(lines(BLANK, DISKS, { install: undefined, data: "/dev/vdb" })).toEqual([
    "system disk /dev/vda (500 GB): blank",
    "system disk /dev/vdb (1.0 TB): blank",
  ]));

test("a machine without a data disk has nothing there to lose", () =>
  expect(lines(BLANK, [disk("vda")])).toEqual(["system disk /dev/vda (500 GB): blank"]));
