// vm.stop as the job that it is, and VMs that shut down by themselves once they were told to.
import { isActive, statusOf, vmOf, vmRow } from "../../world/nas/vms.ts";
import { era, type Vm } from "../../world/nas/nas.ts";
import { halt, notStoppable, powerOff, tellToStop } from "../../world/nas/power.ts";
import { answerOf, refuse, type Server } from "./server.ts";
import { getVm } from "../../world/nas/vms.ts";
import type { Call } from "./call.ts";

/** Seconds that a zvol stays open after its VM has stopped. */
const BUSY = 4;

export interface StopOptions {
  force: boolean;
  force_after_timeout: boolean;
}

/** Cuts the power of an active VM, and tells whoever listens. */
export function cutPower(server: Server, method: string, id: number): null {
  server.act(method, powerOff(server.nas(), id, BUSY * server.knobs.second, server.around));
  tellPower(server, id, "SHUTOFF");
  return null;
}

/** Starts the job; it ends well even when the guest did not listen. */
export function stopVm({ server, client, id: message }: Call, id: number, options: StopOptions): number {
  return server.jobs.start({
    method: "vm.stop",
    arguments: [id, options],
    message,
    account: client.account!.username,
    lock: `stop_vm_${id}`,
    async run(progress) {
      const vm = answerOf(getVm(server.nas(), id));
      const refused = notStoppable(server.nas(), vm, options.force);
      if (refused) return refuse(refused);
      if (options.force) return cutPower(server, "vm.stop", id);
      const seconds = server.knobs.guestStops(vm.name);
      server.act("vm.stop", tellToStop(server.nas(), id, seconds === undefined ? undefined : seconds * server.knobs.second, server.around));
      progress(10, "Waiting for VM to stop");
      await server.wait(seconds === undefined ? vm.shutdown_timeout : Math.min(seconds, vm.shutdown_timeout));
      shutDown(server, id);
      const left = server.nas().vms.find((vm) => vm.id === id);
      if (left && isActive(left) && options.force_after_timeout) cutPower(server, "vm.stop", id);
      return null;
    },
  });
}

/** The guest has done as it was told; nothing when it is not time, or when it never listened. */
function shutDown(server: Server, id: number): void {
  const vm = server.nas().vms.find((vm) => vm.id === id);
  if (vm?.stopsAt === undefined) return;
  server.world.change("world", `${vm.name} shuts down`, ({ nas }) => halt(nas, id, server.world.now() + BUSY * server.knobs.second));
  tellPower(server, id, "SHUTOFF");
}

/** Guests that were shutting down when the server before this one ended. */
export function finishStops(server: Server): void {
  for (const { id, stopsAt } of server.nas().vms) if (stopsAt !== undefined) shutDown(server, id);
}

/** The event of a domain: in 25.x without devices and in libvirt's words, in 26 the whole entry. */
export function tellPower(server: Server, id: number, state: "RUNNING" | "SHUTOFF"): void {
  const vm: Vm = vmOf(server.nas(), id);
  const { devices: _devices, ...bare } = vmRow(vm);
  const isNew = era(server.nas()) === 26;
  server.publish({
    msg: "changed",
    collection: "vm.query",
    id,
    fields: isNew ? vmRow(vm) : { ...bare, status: { ...statusOf(vm), state } },
    ...(!isNew && { extra: { state: "UPDATING CONFIGURATION" } }),
  });
}
