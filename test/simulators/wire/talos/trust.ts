// The certificates of a node: of its own making in maintenance, of the cluster's CA once it runs its config.
import { ServerCredentials } from "@grpc/grpc-js";
import { addressesOf, configOf, hostnameOf, type MachineState, runningNodes } from "../../world/machines.ts";
import type { World } from "../../world/world.ts";
import { createAuthority, issue, signerOf } from "../certificates.ts";

/** What a node's server is by: when it changes, the server has to be another. Undefined while nothing answers. */
export function identityOf(world: World, machine: MachineState): string | undefined {
  const { stage, bootId } = machine;
  if (stage === "maintenance" || stage === "installing") return `maintenance ${bootId}`;
  if (stage !== "running") return undefined;
  return keyHolder(world, machine) && [bootId, configOf(machine)?.ca.crt, ...hostsOf(machine)].join(" ");
}

/** The CA with its key: a worker has its certificate from a control plane, and no API before there is one. */
const keyHolder = (world: World, machine: MachineState) =>
  runningNodes(world.state)
    .map((node) => configOf(node)!.ca)
    .find(({ crt, key }) => key && crt === configOf(machine)?.ca.crt);

const hostsOf = (machine: MachineState) => [
  ...new Set([...addressesOf(machine), hostnameOf(machine), "127.0.0.1", "localhost", ...(configOf(machine)?.certSANs ?? [])]),
];

/** In maintenance anyone may call, and nobody can tell whom; else whoever has a certificate of the cluster's CA. */
export function credentialsOf(world: World, machine: MachineState): ServerCredentials {
  const config = machine.stage === "running" ? configOf(machine) : undefined;
  const pair = ({ key, cert }: { key: string; cert: string }) => [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
  if (!config) {
    const own = createAuthority({
      subject: { commonName: "maintenance-service.talos.dev" },
      days: 1,
      kind: "ed25519",
      hosts: hostsOf(machine),
      use: ["server"],
    });
    return ServerCredentials.createSsl(null, pair(own), false);
  }
  const holder = keyHolder(world, machine);
  if (!holder) throw new Error(`no control plane could issue ${hostnameOf(machine)} a certificate`);
  const server = issue(signerOf(config.ca.crt, holder.key), {
    subject: { commonName: hostnameOf(machine) },
    days: 1,
    kind: "ed25519",
    hosts: hostsOf(machine),
    use: ["server", "client"],
  });
  return ServerCredentials.createSsl(Buffer.from(config.ca.crt), pair(server), true);
}
