// Devices of VMs: disks, CDs and NICs, checked by the rules of each version; kinds that this home does not need are refused as untaught.
import { randomBytes, randomInt } from "node:crypto";
import { type Around, type Attributes, type Decision, type Device, era, type NasState, type Vm } from "./nas.ts";
import { createDataset, deleteDataset, zvolAt, zvolPath } from "./datasets.ts";
import { faultsOf, normalisedMac } from "./device-rules.ts";
import { failed, invalid, notFound, type Refusal, untaught } from "./refusals.ts";
import { getVm, orderOf, vmOf } from "./vms.ts";

export interface DeviceSpec {
  vm: number;
  order: number | null;
  attributes: Attributes;
}

const TAUGHT = ["DISK", "CDROM", "NIC"];
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const serial = () => Array.from({ length: 8 }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join("");

/** A MAC of TrueNAS' own: `00:a0:98`, then a byte that is at most 7f. */
export function randomMac(): string {
  const [a, b, c] = randomBytes(3) as unknown as [number, number, number];
  return [0, 0xa0, 0x98, a & 0x7f, b, c].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The device and its VM, by the device's number. */
export function getDevice(nas: Readonly<NasState>, id: number): { answer: { vm: Vm; device: Device } } | { error: Refusal } {
  for (const vm of nas.vms) {
    const device = vm.devices.find((device) => device.id === id);
    if (device) return { answer: { vm, device } };
  }
  return { error: notFound("VMDevice", id) };
}

/** Adds a device. Answers with its number. The server makes serials, and 26 the MAC that is not given. */
export function createDevice(nas: Readonly<NasState>, { vm: id, order, attributes: given }: DeviceSpec, around: Around): Decision<number> {
  const { dtype } = given;
  if (!TAUGHT.includes(dtype)) return { error: untaught(`devices of type ${dtype}`) };
  if (dtype === "DISK" && given.create_zvol !== (given.path === null)) return { error: eitherPathOrZvol(given) };
  const found = getVm(nas, id);
  if ("error" in found) return found;
  const faults = faultsOf(nas, found.answer, given, around);
  if (faults.length > 0) return { error: invalid(...faults) };
  const zvol = given.create_zvol
    ? createDataset(nas, { name: given.zvol_name as string, type: "VOLUME", volsize: given.zvol_volsize as number }, around)
    : undefined;
  if (zvol && "error" in zvol) return zvol;
  return {
    what: `${found.answer.name} ${dtype} ${String(given.path ?? given.zvol_name ?? given.mac ?? "")}`.trim(),
    apply(nas) {
      const attributes = { ...given };
      if (dtype === "DISK") attributes.serial = serial();
      if (dtype === "NIC" && era(nas) === 26) attributes.mac = given.mac == null ? randomMac() : normalisedMac(given.mac);
      if (zvol && "apply" in zvol) {
        attributes.path = zvolPath(zvol.apply(nas));
        Object.assign(attributes, { create_zvol: false, zvol_name: null, zvol_volsize: null });
      }
      const device = { id: nas.nextId++, order, attributes };
      const { devices } = vmOf(nas, id);
      devices.push(device);
      makeRoom(devices, device);
      return device.id;
    },
  };
}

const eitherPathOrZvol = ({ path }: Attributes) =>
  invalid([
    "vm_device_create.attributes.DISK",
    `Value error, ${path === null ? "Path must be specified if create_zvol is not set" : "Path should not be provided if create_zvol is set"}`,
  ]);

/** Moves the others up when a device takes the place of one. */
function makeRoom(devices: Device[], { id, order }: Device): void {
  if (order === null || !devices.some((other) => other.id !== id && other.order === order)) return;
  const used = [order];
  for (const other of devices.filter((other) => other.id !== id && other.order !== null).sort((a, b) => a.order! - b.order!)) {
    if (used.includes(other.order!)) {
      other.order = Math.min(...used) + 1;
      while (used.includes(other.order)) other.order += 1;
    }
    used.push(other.order!);
  }
}

/** Changes a device, of attributes that are whole already. */
export function updateDevice(
  nas: Readonly<NasState>,
  id: number,
  attributes: Attributes,
  order: number | null,
  around: Around,
): Decision<number> {
  const found = getDevice(nas, id);
  if ("error" in found) return found;
  const { vm, device } = found.answer;
  if (attributes.serial !== device.attributes.serial) return { error: invalid(["attributes.serial", "This field is read-only."]) };
  const faults = faultsOf(nas, vm, attributes, around, id);
  if (faults.length > 0) return { error: invalid(...faults) };
  return {
    what: `${vm.name} ${device.attributes.dtype} ${id}`,
    apply(nas) {
      const { devices } = vmOf(nas, vm.id);
      const changed = devices.find((device) => device.id === id)!;
      Object.assign(changed, { attributes, order });
      makeRoom(devices, changed);
      return id;
    },
  };
}

/** Takes a device away; only from a VM that is stopped. */
export function deleteDevice(
  nas: Readonly<NasState>,
  id: number,
  options: { zvol?: boolean; force?: boolean },
  around: Around,
): Decision<true> {
  const found = getDevice(nas, id);
  if ("error" in found) return found;
  const { vm, device } = found.answer;
  if (vm.state !== "STOPPED") return { error: failed("Please stop/resume associated VM before deleting VM device.") };
  const { dtype, path } = device.attributes;
  if (options.zvol && dtype !== "DISK") return { error: failed("The device is not a disk and has no zvol to destroy.") };
  const zvol = options.zvol ? zvolAt(nas, path ?? "") : undefined;
  const destroyed = zvol && deleteDataset(nas, zvol.name, { recursive: false }, around);
  if (destroyed && "error" in destroyed && !options.force) return destroyed;
  return {
    what: `${vm.name} ${dtype} ${orderOf(device)}`,
    apply(nas) {
      if (destroyed && "apply" in destroyed) destroyed.apply(nas);
      const owner = vmOf(nas, vm.id);
      owner.devices = owner.devices.filter((device) => device.id !== id);
      return true;
    },
  };
}
