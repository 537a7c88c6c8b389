// What a node answers before it has a config. Until 1.12 a server of its own stood there, since then the usual one, for whom may only read.
import { MAINTENANCE, mayCall } from "./roles.ts";
import { minorOf, SINCE } from "./version.ts";
import type { Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

export const NOT_AUTHORIZED: Status = { code: "PermissionDenied", description: "not authorized" };

const BEFORE = ["machine.MachineService/ApplyConfiguration", "storage.StorageService/Disks", "cosi.resource.State/"];

/** Why a call is refused for the node's being in maintenance; undefined when it is not. */
export function refusedInMaintenance(machine: MachineState, path: string, request: { mode?: string }): Status | undefined {
  if (machine.stage === "running") return undefined;
  const method = path.slice(1);
  if (minorOf(machine) >= SINCE.maintenanceApi) return mayCall(MAINTENANCE, method) ? undefined : NOT_AUTHORIZED;
  if (!BEFORE.some((known) => method.startsWith(known)))
    return { code: "Unimplemented", description: "API is not implemented in maintenance mode" };
  if (method.endsWith("/ApplyConfiguration") && (request.mode === "STAGED" || request.mode === "NO_REBOOT"))
    return {
      code: "Unimplemented",
      description: `apply configuration --mode='${request.mode.toLowerCase().replace("_", "-")}' is not supported in maintenance mode`,
    };
  return undefined;
}
