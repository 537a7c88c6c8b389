// What TrueNAS checks about a device, beyond its schema: paths, zvols, bridges, MACs; each version has its own rule for where an ISO may be.
import { type Around, type Attributes, type Device, era, type NasState, type Vm } from "./nas.ts";
import { findDataset } from "./datasets.ts";
import { kindOf, mountOf } from "./files.ts";
import { ERRNO } from "./refusals.ts";

type Fault = [field: string, message: string, errno?: number];

/** `00:A0:98…` in any writing, as 26 keeps it. */
export const normalisedMac = (mac: string) =>
  mac
    .toLowerCase()
    .replaceAll(/[:.-]/g, "")
    .replaceAll(/(..)(?=.)/g, "$1:");

/** Everything wrong with a device of this VM; `self` is its own number when it is there already. */
export function faultsOf(nas: Readonly<NasState>, vm: Vm, attributes: Attributes, around: Around, self?: number): Fault[] {
  const others = vm.devices.filter(({ id }) => id !== self);
  switch (attributes.dtype) {
    case "CDROM":
      return cdFaults(nas, vm, others, attributes.path!, around);
    case "DISK":
      return diskFaults(nas, vm, others, attributes);
    default:
      return nicFaults(nas, vm, others, attributes);
  }
}

const isIn = (others: Device[], path: string) => others.some(({ attributes }) => attributes.path === path);

function cdFaults(nas: Readonly<NasState>, vm: Vm, others: Device[], path: string, around: Around): Fault[] {
  const fault = (message: string, errno?: number): Fault[] => [["attributes.path", message, errno]];
  const dataset = path.startsWith("/mnt/") ? mountOf(nas, path) : undefined;
  if (!dataset) return fault("The path must reside within a pool mount point");
  if (!dataset.name.includes("/") && era(nas) === 2510) return fault("The path must be a dataset or a directory within a dataset.");
  if (!dataset.name.includes("/") && era(nas) === 26)
    return fault(
      `The specified path is located in the root dataset of pool '${dataset.name}'. VM resources must be stored within a child dataset of the pool, not the pool root.`,
    );
  if (!kindOf(nas, path)) return fault(`Unable to locate CDROM device at '${path}'`);
  if (isIn(others, path)) return fault(`${vm.name} has "${path}" already configured`);
  if (around.has("nas-device-refused"))
    return fault(`'libvirt-qemu' user cannot read from '${path}' path. Please ensure correct permissions are specified.`);
  return [];
}

function diskFaults(nas: Readonly<NasState>, vm: Vm, others: Device[], attributes: Attributes): Fault[] {
  const { path, create_zvol, zvol_name, zvol_volsize, physical_sectorsize, logical_sectorsize } = attributes;
  const faults: Fault[] = [];
  if (physical_sectorsize != null && logical_sectorsize == null)
    faults.push(["attributes.logical_sectorsize", "This field must be provided when physical_sectorsize is specified."]);
  if (create_zvol) {
    if (!zvol_name) return [["attributes.zvol_name", "This field is required."]];
    if (!zvol_volsize) return [["attributes.zvol_volsize", "This field is required."]];
    const parent = String(zvol_name).split("/").slice(0, -1).join("/");
    if (!findDataset(nas, parent)) return [["attributes.zvol_name", `Parent dataset ${parent} does not exist.`, ERRNO.ENOENT]];
    return findDataset(nas, String(zvol_name)) ? [["attributes.zvol_name", `'${String(zvol_name)}' already exists.`]] : faults;
  }
  if (!path!.startsWith("/dev/zvol/")) return [["attributes.path", 'Disk path must start with "/dev/zvol/"']];
  const dataset = findDataset(nas, path!.slice("/dev/zvol/".length).replaceAll("+", " "));
  if (!dataset) return [["attributes.path", "Zvol referenced by path does not exist", ERRNO.ENOENT]];
  if (dataset.type !== "VOLUME") return [["attributes.path", "Path specified does not reference to a VOLUME"]];
  if (isIn(others, path!)) faults.push(["attributes.path", `${vm.name} has "${path}" already configured`]);
  return faults;
}

function nicFaults(
  nas: Readonly<NasState>,
  vm: Vm,
  others: Device[],
  { nic_attach, mac, type, trust_guest_rx_filters }: Attributes,
): Fault[] {
  const faults: Fault[] = [];
  if (nic_attach != null && !nas.interfaces.some(({ name }) => name === nic_attach))
    faults.push(["attributes.nic_attach", "Not a valid choice."]);
  if (mac != null && mac.toLowerCase().startsWith("ff")) faults.push(["attributes.mac", "MAC address must not start with `ff`"]);
  if (
    mac != null &&
    era(nas) === 26 &&
    others.some(({ attributes }) => attributes.mac != null && normalisedMac(attributes.mac) === normalisedMac(mac))
  )
    faults.push(["attributes.mac", `${vm.name} already has a NIC with MAC address '${normalisedMac(mac)}' configured`]);
  if (trust_guest_rx_filters && type !== "VIRTIO")
    faults.push(["attributes.trust_guest_rx_filters", 'This can only be set when "type" of NIC device is "VIRTIO"']);
  return faults;
}
