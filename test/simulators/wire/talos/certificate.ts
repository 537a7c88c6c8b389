// The certificate that a node's API shows: self-signed in maintenance mode, with a key that each machine makes at each boot; signed by the cluster's CA once the node runs its config.
import { createHash, X509Certificate } from "node:crypto";
import { addressesOf, configOf, hostnameOf, runningNodes } from "../../world/talos/machines.ts";
import { macOf } from "../../world/stranger.ts";
import type { World } from "../../world/world.ts";
import { createAuthority, type Issued, issue, signerOf } from "../../world/certificates.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

/** What a node's server is by: when it changes, the server has to be another. Undefined while nothing answers. */
export function identityOf(world: World, machine: MachineState): string | undefined {
  const { stage, bootId } = machine;
  if (stage === "maintenance" || stage === "installing") return `maintenance ${bootId} ${macOf(world, machine)}`;
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

const made = new WeakMap<World, Map<string, { identity: string | undefined; pair: Issued }>>();

/** The certificate with its key: the same one until the machine boots anew or its trust changes. */
export function pairOf(world: World, machine: MachineState): Issued {
  const identity = identityOf(world, machine);
  const ofWorld = made.get(world) ?? new Map();
  made.set(world, ofWorld);
  const known = ofWorld.get(machine.mac);
  if (known?.identity === identity) return known.pair;
  const pair = newPair(world, machine);
  ofWorld.set(machine.mac, { identity, pair });
  return pair;
}

function newPair(world: World, machine: MachineState): Issued {
  const config = machine.stage === "running" ? configOf(machine) : undefined;
  if (!config)
    return createAuthority({
      subject: { commonName: "maintenance-service.talos.dev" },
      days: 1,
      kind: "ed25519",
      hosts: hostsOf(machine),
      use: ["server"],
    });
  const holder = keyHolder(world, machine);
  if (!holder) throw new Error(`no control plane could issue ${hostnameOf(machine)} a certificate`);
  return issue(signerOf(config.ca.crt, holder.key), {
    subject: { commonName: hostnameOf(machine) },
    days: 1,
    kind: "ed25519",
    hosts: hostsOf(machine),
    use: ["server", "client"],
  });
}

/** What `--cert-fingerprint` has to name for this machine: SHA-256 of its public key, in base64. */
export const fingerprintOf = (world: World, machine: MachineState): string =>
  createHash("sha256")
    .update(new X509Certificate(pairOf(world, machine).cert).publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
