// The TLS door of the nodes in a home without gRPC: it shows each node's own certificate and says nothing more, since the stand-in for talosctl does not come this way.
import { createSecureContext, TLSSocket } from "node:tls";
import type { Socket } from "node:net";
import { machineAt } from "../../world/talos/machines.ts";
import type { World } from "../../world/world.ts";
import { identityOf, pairOf } from "./certificate.ts";

/** Answers a connection to this address; undefined when no node's API is up there. */
export function doorAt(world: World, address: string): ((socket: Socket) => void) | undefined {
  const machine = machineAt(world, address);
  if (!machine || identityOf(world, machine) === undefined) return undefined;
  const { key, cert } = pairOf(world, machine);
  return (socket) => {
    const tls = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }), ALPNProtocols: ["h2"] });
    tls.on("error", () => socket.destroy());
    tls.on("data", () => socket.destroy()); // no client of this home sends anything here
  };
}
