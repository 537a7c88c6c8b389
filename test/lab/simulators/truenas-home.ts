// A NAS in memory, the conditions around it, and its verbs carried out at once.
import type { Fault } from "../../simulators/world/faults.ts";
import { type Around, type Attributes, type Decision, freshNas, type VmConfig } from "../../simulators/world/nas/nas.ts";
import { createDataset, type DatasetSpec } from "../../simulators/world/nas/datasets.ts";
import { createDevice } from "../../simulators/world/nas/devices.ts";
import { putFile } from "../../simulators/world/nas/files.ts";
import { createVm } from "../../simulators/world/nas/vms.ts";

export const TB = 1000 ** 4;
export const GB = 1000 ** 3;
export const VERSIONS = ["25.04.2", "25.10.5", "26.0.0"];

/** A NAS, the conditions around it, and verbs that are carried out at once. */
export function home(version = "25.10.5") {
  const nas = freshNas({ version, key: "1-k", now: 0 });
  const faults = new Set<Fault>();
  const at = { now: 1_000_000, written: 0 };
  const around: Around = { now: () => at.now, has: (fault) => faults.has(fault), written: () => at.written };
  const does = <T>(decision: Decision<T>): T => {
    if ("error" in decision) throw new Error(decision.error.reason.trim());
    return "answer" in decision ? decision.answer : decision.apply(nas);
  };
  const zvol = (name: string, more: Partial<DatasetSpec> = {}) =>
    does(createDataset(nas, { name, type: "VOLUME", volsize: 500 * GB - ((500 * GB) % 16_384), sparse: true, ...more }, around));
  const vm = (name = "k8s_0", more: Partial<VmConfig> = {}) => does(createVm(nas, { ...SETTINGS, name, ...more }));
  const device = (id: number, attributes: Attributes, order: number | null = null) =>
    createDevice(nas, { vm: id, order, attributes: { ...DISK, ...attributes } }, around);
  const file = (path: string, size = 3_000_000, head = "") =>
    does(putFile(nas, path, { size, sha256: "ab".repeat(32), head, mode: 0o644, mtime: 5_000 }, around));
  return { nas, faults, at, around, does, zvol, vm, device, file };
}
export type Home = ReturnType<typeof home>;

export const SETTINGS: VmConfig = {
  name: "k8s_0",
  description: "",
  vcpus: 8,
  cores: 1,
  threads: 1,
  memory: 49_152,
  min_memory: null,
  autostart: true,
  shutdown_timeout: 90,
  uuid: null,
  cpu_mode: "HOST-PASSTHROUGH",
};
const DISK = {
  create_zvol: false,
  path: null,
  zvol_name: null,
  zvol_volsize: null,
  logical_sectorsize: null,
  physical_sectorsize: null,
  serial: null,
};
export const ISO = "/mnt/flashstor/ISO/talos.iso";
export const disk = (path: string, more: object = {}): Attributes => ({ dtype: "DISK", type: "VIRTIO", path, ...more });
export const cd = (path = ISO): Attributes => ({ dtype: "CDROM", path });
export const nic = (more: object = {}): Attributes => ({
  dtype: "NIC",
  type: "VIRTIO",
  nic_attach: "br0",
  mac: "00:a0:98:28:c8:83",
  ...more,
});
export const linesOf = (decision: Decision<unknown>) =>
  "error" in decision ? (decision.error.extra?.map((line) => line.join(" ")) ?? [decision.error.reason]) : ["accepted"];
