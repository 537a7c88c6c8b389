// VMs as TrueNAS keeps them: names without dashes, defaults filled in as stored, no devices at first.
import { randomUUID } from "node:crypto";
import { type Around, type Decision, type Device, era, type NasState, type Vm, type VmConfig } from "./nas.ts";
import { deleteDataset, zvolAt } from "./datasets.ts";
import type { Row } from "./query.ts";
import { ERRNO, failed, invalid, notFound, type Refusal } from "./refusals.ts";

type Fault = [field: string, message: string, errno?: number];

const NAME = /^[a-zA-Z_0-9]+$/;
const MOST_VCPUS = 255;

/** The VM of that number, or TrueNAS' refusal. */
export function getVm(nas: Readonly<NasState>, id: number): { answer: Vm } | { error: Refusal } {
  const vm = nas.vms.find((vm) => vm.id === id);
  return vm ? { answer: vm } : { error: notFound("VM", id) };
}

/** Only for one that was found before in the same breath. */
export const vmOf = (nas: NasState, id: number) => nas.vms.find((vm) => vm.id === id)!;

export const isActive = ({ state }: Pick<Vm, "state">) => state !== "STOPPED";

/** Everything wrong with a VM's settings, as `vm_create.…` or `vm_update.…`. */
function faultsOf(nas: Readonly<NasState>, config: VmConfig, prefix: string, id?: number): Fault[] {
  const { name, vcpus, cores, threads, memory, min_memory, cpu_mode, cpu_model, machine_type, arch_type } = config;
  const faults: Fault[] = [];
  const fault = (field: string, message: string, errno?: number) => void faults.push([`${prefix}.${field}`, message, errno]);
  if (nas.vms.some((vm) => vm.name === name && vm.id !== id)) fault("name", "This name already exists.", ERRNO.EEXIST);
  else if (!NAME.test(name)) fault("name", "Only alphanumeric characters are allowed.");
  if (min_memory !== null && min_memory > memory) fault("min_memory", "Minimum memory should not be greater than defined/maximum memory");
  if (vcpus * cores * threads > MOST_VCPUS)
    fault(
      "vcpus",
      `Maximum ${MOST_VCPUS} vcpus are supported.Please ensure the product of "${prefix}.vcpus", "${prefix}.cores" and "${prefix}.threads" is less than ${MOST_VCPUS}.`,
    );
  if (cpu_mode !== "CUSTOM" && cpu_model) fault("cpu_model", 'This attribute should not be specified when "cpu_mode" is not "CUSTOM".');
  if (machine_type && !arch_type) fault("arch_type", `Must be specified when "${prefix}.machine_type" is set`);
  if (config.enable_secure_boot && machine_type && !String(machine_type).startsWith("pc-q35"))
    fault("enable_secure_boot", "Secure boot is only available in q35 machine type");
  return faults;
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Makes a VM of settings whose defaults are filled in. Answers with its number. */
export function createVm(nas: Readonly<NasState>, config: VmConfig): Decision<number> {
  if (config.uuid !== null && !UUID.test(config.uuid))
    return { error: invalid(["vm_create.uuid", "Value error, UUID is not valid version 4"]) };
  const faults = faultsOf(nas, config, "vm_create");
  if (faults.length > 0) return { error: invalid(...faults) };
  const stored = { ...config, uuid: config.uuid ?? randomUUID(), bootloader_ovmf: config.bootloader_ovmf ?? firmwareOf(config) };
  if (config.enable_secure_boot)
    Object.assign(stored, { machine_type: config.machine_type ?? "pc-q35-6.2", arch_type: config.arch_type ?? "x86_64" });
  return {
    what: config.name,
    apply(nas) {
      const id = nas.nextId++;
      // 26 tells libvirt of a domain only when it is started
      nas.vms.push({ ...stored, id, devices: [], state: "STOPPED", domain_state: era(nas) === 26 ? null : "SHUTOFF", pid: null });
      return id;
    },
  };
}

const firmwareOf = ({ enable_secure_boot }: VmConfig) => (enable_secure_boot ? "OVMF_CODE_4M.secboot.fd" : "OVMF_CODE_4M.fd");

/** Changes settings; they take effect at the next start. */
export function updateVm(nas: Readonly<NasState>, id: number, change: Partial<VmConfig>): Decision<number> {
  const found = getVm(nas, id);
  if ("error" in found) return found;
  const { name } = found.answer;
  if (change.name !== undefined && change.name !== name && isActive(found.answer))
    return { error: failed("VM name can only be changed when VM is inactive") };
  const faults = faultsOf(nas, { ...found.answer, ...change } as VmConfig, "vm_update", id);
  if (faults.length > 0) return { error: invalid(...faults) };
  return {
    what: name,
    apply(nas) {
      Object.assign(vmOf(nas, id), change);
      return id;
    },
  };
}

/** Destroys the zvols of a VM's disks as far as nothing has them open; what is left is not told. */
export function destroyDisks(nas: Readonly<NasState>, id: number, around: Around): { what: string; apply(nas: NasState): void } {
  const { name, devices } = vmOf(nas, id);
  const zvols = devices.flatMap(({ attributes: { path } }) => zvolAt(nas, path ?? "")?.name ?? []);
  return {
    what: `${name} zvols`,
    apply(nas) {
      for (const zvol of zvols) {
        const decided = deleteDataset(nas, zvol, { recursive: true }, around);
        if ("apply" in decided) decided.apply(nas);
      }
    },
  };
}

/** Takes an inactive VM and its devices off the list. */
export const removeVm = (nas: Readonly<NasState>, id: number): { what: string; apply(nas: NasState): void } => ({
  what: vmOf(nas, id).name,
  apply: (nas) => void (nas.vms = nas.vms.filter((vm) => vm.id !== id)),
});

const ORDER: Record<string, number> = { CDROM: 1000, DISK: 1001, RAW: 1001 };
export const orderOf = ({ order, attributes: { dtype } }: Pick<Device, "order" | "attributes">) => order ?? ORDER[dtype] ?? 1002;

/** A device as an entry. */
export const deviceRow = (device: Device, vm: number): Row => ({
  id: device.id,
  vm,
  order: orderOf(device),
  attributes: { ...device.attributes },
});

export const statusOf = ({ state, pid, domain_state }: Vm) => ({ state, pid, domain_state });

/** A VM as an entry. */
export function vmRow(vm: Vm): Row {
  const { id, devices, state: _state, domain_state: _domain, pid: _pid, mac: _mac, stopsAt: _stopsAt, ...config } = vm;
  return {
    ...config,
    id,
    devices: devices.map((device) => deviceRow(device, id)),
    display_available: devices.some(({ attributes }) => attributes.dtype === "DISPLAY"),
    status: statusOf(vm),
  };
}

export const vmRows = ({ vms }: Readonly<NasState>): Row[] => vms.map(vmRow);
export const deviceRows = ({ vms }: Readonly<NasState>): Row[] =>
  vms.flatMap(({ id, devices }) => devices.map((device) => deviceRow(device, id)));
