// What a node answers before it has a config. Until 1.12 a server of its own stood there, since then the usual one, for whom may only read.
import type { MachineState } from "./machines.ts";
import type { Status } from "./talos-api.ts";
import { minorOf, SINCE } from "./talos-version.ts";

/** For the role `os:reader`, which is who calls a node in maintenance since 1.13. */
const READS = [
  "machine.MachineService/ApplyConfiguration",
  "machine.MachineService/Dmesg",
  "machine.MachineService/Events",
  "machine.MachineService/Hostname",
  "machine.MachineService/List",
  "machine.MachineService/Logs",
  "machine.MachineService/ServiceList",
  "machine.MachineService/Version",
  "cosi.resource.State/Get",
  "cosi.resource.State/List",
  "cosi.resource.State/Watch",
  "storage.StorageService/Disks",
  "time.TimeService/Time",
  "time.TimeService/TimeCheck",
];
const BEFORE = ["machine.MachineService/ApplyConfiguration", "storage.StorageService/Disks", "cosi.resource.State/"];

/** Why a call is refused for the node's being in maintenance; undefined when it is not. */
export function refusedInMaintenance(machine: MachineState, path: string, request: { mode?: string }): Status | undefined {
  if (machine.stage === "running") return undefined;
  const method = path.slice(1);
  if (minorOf(machine) >= SINCE.maintenanceApi)
    return READS.includes(method) ? undefined : { code: "PermissionDenied", description: "not authorized" };
  if (!BEFORE.some((known) => method.startsWith(known)))
    return { code: "Unimplemented", description: "API is not implemented in maintenance mode" };
  if (method.endsWith("/ApplyConfiguration") && (request.mode === "STAGED" || request.mode === "NO_REBOOT"))
    return {
      code: "Unimplemented",
      description: `apply configuration --mode='${request.mode.toLowerCase().replace("_", "-")}' is not supported in maintenance mode`,
    };
  return undefined;
}
