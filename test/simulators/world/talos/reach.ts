// Whether a Talos node answers at an address, and to whom, in the words of who dials it.
import { configOf, machineAt } from "./machines.ts";
import type { World } from "../world.ts";
import type { Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

export const unreachable = (what: string): Status => ({
  code: "Unavailable",
  description: `connection error: desc = ${JSON.stringify(what)}`,
});

export const untrusted = (what: string) =>
  unreachable(`transport: authentication handshake failed: tls: failed to verify certificate: x509: ${what}`);

/** The machine whose API answers at this address. */
export function dialed(world: World, host: string): { machine: MachineState } | Status {
  const machine = machineAt(world, host);
  if (!machine || ["off", "dead", "away", "booting"].includes(machine.stage))
    return unreachable(`transport: Error while dialing: dial tcp ${host}:50000: connect: no route to host`);
  if (machine.stage === "rebooting")
    return unreachable(`transport: Error while dialing: dial tcp ${host}:50000: connect: connection refused`);
  return { machine };
}

/** An endpoint passes a call on to a node, whose certificate it checks against its own CA. */
export function forwarded(world: World, node: string, ca: string): { machine: MachineState } | Status {
  const there = dialed(world, node);
  if ("code" in there) return there;
  const config = there.machine.stage === "running" ? configOf(there.machine) : undefined;
  return config && config.ca.crt.trim() === ca.trim() ? there : untrusted("certificate signed by unknown authority");
}
