// Whom a node's server lets in: anyone in maintenance mode, where it cannot tell who calls; otherwise holders of a certificate of the cluster's CA.
import { ServerCredentials } from "@grpc/grpc-js";
import { configOf } from "../../world/talos/machines.ts";
import type { World } from "../../world/world.ts";
import { pairOf } from "./certificate.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

export function credentialsOf(world: World, machine: MachineState): ServerCredentials {
  const config = machine.stage === "running" ? configOf(machine) : undefined;
  const { key, cert } = pairOf(world, machine);
  const pair = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
  return ServerCredentials.createSsl(config ? Buffer.from(config.ca.crt) : null, pair, config !== undefined);
}
