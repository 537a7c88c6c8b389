// VMs that start and stop: what is checked at a start, what memory is left, what a stop leaves behind.
import { randomInt } from "node:crypto";
import { type Around, type Decision, type Device, era, type NasState, type Vm } from "./nas.ts";
import { zvolAt } from "./datasets.ts";
import { randomMac } from "./devices.ts";
import { kindOf } from "./files.ts";
import { ERRNO, failed, type Refusal } from "./refusals.ts";
import { getVm, isActive, vmOf } from "./vms.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
/** What TrueNAS itself and its cache do not give up. */
const OWN = 16 * GiB;

/** Bytes that VMs may still take; with `overcommit` all that is not in use. */
export function availableMemory({ memory, vms }: Readonly<NasState>, overcommit = false): number {
  const taken = vms.filter(isActive).reduce((sum, vm) => sum + vm.memory * MiB, 0);
  return Math.max(0, Math.floor((overcommit ? 1 : 0.9) * (memory - OWN - taken)));
}

/** Why a device would not let its VM start; undefined when it would. */
function absent(nas: Readonly<NasState>, { attributes: { dtype, path, nic_attach, mac } }: Device): string | undefined {
  if ((dtype === "CDROM" && !kindOf(nas, path!)) || (dtype === "DISK" && !zvolAt(nas, path!)))
    return era(nas) === 26
      ? `${dtype} device '${path}' is not available`
      : `VM will not start as ${dtype} Device: ${path} device(s) are not available.`;
  if (dtype === "NIC" && nic_attach != null && !nas.interfaces.some(({ name }) => name === nic_attach)) return `${nic_attach} not found.`;
  if (dtype === "NIC" && mac != null && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac))
    return `XML error: unable to parse mac address '${mac}'`;
  return undefined;
}

/** Starts a VM. The fault `nas-start-refused`: whatever is left, it is not enough. */
export function start(nas: Readonly<NasState>, id: number, { overcommit = false }, around: Around): Decision<null> {
  const found = getVm(nas, id);
  if ("error" in found) return found;
  const vm = found.answer;
  const name = `'${vm.name}'`;
  if (vm.state === "RUNNING") return { error: failed(era(nas) === 26 ? `VM ${name} is already running` : `${name} is already running`) };
  if (vm.state === "SUSPENDED") return { error: failed(`${name} VM is suspended and can only be resumed/powered off`) };
  if (around.has("nas-start-refused") || (!overcommit && (vm.min_memory ?? vm.memory) * MiB > availableMemory(nas)))
    return { error: failed(`Cannot guarantee memory for guest ${vm.name}`, ERRNO.ENOMEM) };
  const missing = vm.devices.map((device) => absent(nas, device)).filter((why) => why !== undefined);
  if (missing.length > 0) return { error: failed(era(nas) === 26 ? `Cannot start domain ${name}:\n${missing.join("\n")}` : missing[0]!) };
  return {
    what: vm.name,
    apply(nas) {
      const started = vmOf(nas, id);
      Object.assign(started, { state: "RUNNING", domain_state: "RUNNING", pid: randomInt(2_000, 30_000) });
      if (started.devices.some(({ attributes }) => attributes.dtype === "NIC" && attributes.mac == null)) started.mac = randomMac();
      return null;
    },
  };
}

/** Why a VM cannot be stopped; undefined when it can. */
export function notStoppable(nas: Readonly<NasState>, vm: Vm, force: boolean): Refusal | undefined {
  if (vm.state === "RUNNING" || (force && vm.state === "SUSPENDED")) return undefined;
  if (era(nas) === 26) return failed(vm.domain_state === null ? `Domain '${vm.name}' does not exist` : `Domain '${vm.name}' is not active`);
  return failed(`VM state is currently not '${force ? "RUNNING / SUSPENDED" : "RUNNING"}'`);
}

/** Tells the guest to shut down; `after` milliseconds later it has, or never when it does not listen. */
export function tellToStop(nas: Readonly<NasState>, id: number, after: number | undefined, around: Around): Decision<null> {
  const found = getVm(nas, id);
  if ("error" in found) return found;
  const refused = notStoppable(nas, found.answer, false);
  if (refused) return { error: refused };
  return {
    what: found.answer.name,
    apply(nas) {
      if (after !== undefined) vmOf(nas, id).stopsAt = around.now() + after;
      return null;
    },
  };
}

/** Cuts the power. */
export function powerOff(nas: Readonly<NasState>, id: number, busyMs: number, around: Around): Decision<null> {
  const found = getVm(nas, id);
  if ("error" in found) return found;
  const refused = notStoppable(nas, found.answer, true);
  if (refused) return { error: refused };
  return { what: found.answer.name, apply: (nas) => (halt(nas, id, around.now() + busyMs), null) };
}

/** What is left of a VM that has stopped: its disks are open for a moment longer. */
export function halt(nas: NasState, id: number, busyUntil: number): void {
  const vm = vmOf(nas, id);
  Object.assign(vm, { state: "STOPPED", domain_state: "SHUTOFF", pid: null });
  delete vm.mac;
  delete vm.stopsAt;
  for (const { attributes } of vm.devices) {
    const zvol = zvolAt(nas, attributes.path ?? "");
    if (zvol) zvol.busyUntil = busyUntil;
  }
}
