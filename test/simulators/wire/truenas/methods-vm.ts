// vm.* and vm.device.*.
import { type Attributes, era, type VmConfig } from "../../world/nas/nas.ts";
import { zvolPath } from "../../world/nas/datasets.ts";
import { createDevice, deleteDevice, type DeviceSpec, getDevice, randomMac, updateDevice } from "../../world/nas/devices.ts";
import { availableMemory, start } from "../../world/nas/power.ts";
import type { QueryOptions } from "../../world/nas/query.ts";
import { invalid } from "../../world/nas/refusals.ts";
import {
  createVm,
  destroyDisks,
  deviceRow,
  deviceRows,
  getVm,
  isActive,
  removeVm,
  statusOf,
  updateVm,
  vmOf,
  vmRow,
  vmRows,
} from "../../world/nas/vms.ts";
import { queryRows } from "./methods-core.ts";
import { cutPower, type StopOptions, stopVm, tellPower } from "./power.ts";
import { answerOf, refuse, type Server } from "./server.ts";
import type { Call } from "./call.ts";
import type { Run } from "./call.ts";

const entryOf = ({ nas }: Server, id: number) => vmRow(vmOf(nas(), id));
const deviceEntry = ({ nas }: Server, id: number) => {
  const { vm, device } = answerOf(getDevice(nas(), id));
  return deviceRow(device, vm.id);
};

/** Seconds that a server waits after it cut the power of a VM that is to be deleted. */
const AFTER_POWER_OFF = 7;

/** 25.x stops the VM, then destroys its zvols; 26 tries the zvols first, and those that are in use stay behind, untold. */
async function deleteVm({ server, client }: Call, id: number, { zvols }: { zvols: boolean; force: boolean }): Promise<true | null> {
  const { nas, around } = server;
  const vm = answerOf(getVm(nas(), id));
  const isNew = era(nas()) === 26;
  const destroy = () => void (zvols && server.act("vm.delete", destroyDisks(nas(), id, around)));
  if (isNew) destroy();
  if (isActive(vm)) {
    cutPower(server, "vm.delete", id);
    await server.wait(AFTER_POWER_OFF, client);
    answerOf(getVm(nas(), id));
  }
  if (!isNew) destroy();
  server.act("vm.delete", removeVm(nas(), id));
  server.publish({ msg: "removed", collection: "vm.query", id });
  return isNew ? null : true;
}

function create({ server, given }: Call, config: VmConfig) {
  // what 26 takes for granted, it does on older paths too
  const isUnsaid = era(server.nas()) === 26 && (given[0] as Partial<VmConfig>).suspend_on_snapshot === undefined;
  const id = server.act("vm.create", createVm(server.nas(), isUnsaid ? { ...config, suspend_on_snapshot: true } : config));
  const fields = entryOf(server, id);
  server.publish({ msg: "added", collection: "vm.query", id, fields });
  return fields;
}

function update({ server }: Call, id: number, change: Partial<VmConfig>) {
  server.act("vm.update", updateVm(server.nas(), id, change));
  const fields = entryOf(server, id);
  server.publish({ msg: "changed", collection: "vm.query", id, fields });
  return fields;
}

/** 25.10 takes some attributes and keeps the others; 25.04 wants all of them. What comes of it must be a device that could be created. */
function updateOneDevice({ server, version }: Call, id: number, change: Partial<DeviceSpec>) {
  const { vm, device } = answerOf(getDevice(server.nas(), id));
  const { serial: _serial, ...before } = device.attributes;
  const given: Partial<Attributes> = change.attributes ?? {};
  if (given.dtype !== undefined && given.dtype !== before.dtype)
    return refuse(invalid(["attributes.dtype", "Device type cannot be changed"]));
  const order = change.order === undefined ? device.order : change.order;
  const merged = version.name.startsWith("25.04") && change.attributes ? change.attributes : { ...before, ...given };
  const read = version.read("vm.device.create", [{ vm: vm.id, order, attributes: merged }]);
  if ("error" in read) return refuse(read.error);
  const whole = read.values[0].attributes as Attributes;
  const attributes = device.attributes.serial === undefined ? whole : { ...whole, serial: given.serial ?? device.attributes.serial };
  server.act("vm.device.update", updateDevice(server.nas(), id, attributes, order, server.around));
  return deviceEntry(server, id);
}

const same = (names: string[]) => Object.fromEntries(names.map((name) => [name, name]));

export const VM: Record<string, Run> = {
  "vm.query": ({ server }, filters: unknown[], options: QueryOptions) => queryRows(vmRows(server.nas()), filters, options),
  "vm.get_instance": ({ server }, id: number) => vmRow(answerOf(getVm(server.nas(), id))),
  "vm.create": create,
  "vm.update": update,
  "vm.delete": deleteVm,
  "vm.start": async ({ server, client }, id: number, options: { overcommit: boolean }) => {
    server.act("vm.start", start(server.nas(), id, options, server.around));
    tellPower(server, id, "RUNNING");
    await server.wait(0.5, client);
    return null;
  },
  "vm.stop": (call, id: number, options: StopOptions) => stopVm(call, id, options),
  "vm.poweroff": ({ server }, id: number) => cutPower(server, "vm.poweroff", id),
  "vm.status": ({ server }, id: number) => statusOf(answerOf(getVm(server.nas(), id))),
  "vm.random_mac": () => randomMac(),
  "vm.get_available_memory": ({ server }, overcommit: boolean) => availableMemory(server.nas(), overcommit),
  "vm.device.query": ({ server }, filters: unknown[], options: QueryOptions) => queryRows(deviceRows(server.nas()), filters, options),
  "vm.device.get_instance": ({ server }, id: number) => deviceEntry(server, id),
  "vm.device.create": ({ server }, spec: DeviceSpec) =>
    deviceEntry(server, server.act("vm.device.create", createDevice(server.nas(), spec, server.around))),
  "vm.device.update": updateOneDevice,
  "vm.device.delete": ({ server }, id: number, options: { zvol: boolean; force: boolean }) =>
    server.act("vm.device.delete", deleteDevice(server.nas(), id, options, server.around)),
  "vm.device.nic_attach_choices": ({ server }) => {
    const { interfaces } = server.nas();
    const names = (...types: string[]) => interfaces.filter(({ type }) => types.includes(type)).map(({ name }) => name);
    return era(server.nas()) === 26 ? { BRIDGE: names("BRIDGE"), MACVLAN: names("PHYSICAL") } : same(names("BRIDGE", "PHYSICAL"));
  },
  "vm.device.bind_choices": ({ server }) =>
    same(["0.0.0.0", "127.0.0.1", ...server.nas().interfaces.flatMap(({ address }) => address ?? []), "::", "::1"]),
  "vm.device.disk_choices": ({ server }) =>
    Object.fromEntries(
      server
        .nas()
        .datasets.filter(({ type }) => type === "VOLUME")
        .map(({ name }) => [zvolPath(name), name]),
    ),
  "vm.device.iotype_choices": () => same(["NATIVE", "THREADS", "IO_URING"]),
};
