// Talos' API at the wire: a gRPC server for each machine on a port of its own, there exactly while the machine's API answers.
import { setMaxListeners } from "node:events";
import { Server, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { MachineState } from "../../world/talos/machine-state.ts";
import { machineAt, nextDue } from "../../world/talos/machines.ts";
import type { World } from "../../world/world.ts";
import { identityOf } from "./certificate.ts";
import { SERVICES } from "./descriptor.ts";
import { ETCD } from "./etcd-service.ts";
import { type Events, openEvents } from "./events.ts";
import { HEALTH, STORAGE, TIME } from "./home-services.ts";
import { NODE } from "./node-service.ts";
import { IMAGES, LIFECYCLE, POWER } from "./power-service.ts";
import { RESOURCES } from "./resource-service.ts";
import { type Endpoint, type Stream, streaming, type Unary, unary } from "./routing.ts";
import { credentialsOf } from "./trust.ts";

export interface TalosAround {
  /** How often the world is looked at, in milliseconds. */
  everyMs?: number;
}

export interface Talos {
  /** The port on 127.0.0.1 where the node with this address answers now; undefined when none does. */
  portOf(address: string): number | undefined;
  /** Settles when the servers are those of the machines as they are now. */
  follow(): Promise<void>;
  close(): Promise<void>;
}

interface Up {
  identity: string;
  server: Server;
  port: number;
  down: AbortController;
}

/** Serves every machine of the world, as they come and go. A machine that changes its trust or boots anew gets a new server. */
export async function serveTalos(world: World, { everyMs = 20 }: TalosAround = {}): Promise<Talos> {
  const up = new Map<string, Up>();
  const events = openEvents(world);
  let busy: Promise<void> | undefined;
  let seen = { revision: -1, at: -Infinity };
  /** A home in which nothing happens is not looked at in detail. */
  const isQuiet = () =>
    world.revision === seen.revision &&
    nextDue(world.state, seen.at) > world.now() &&
    !Object.values(world.state.machines).some(({ leaving }) => leaving);
  const look = async () => {
    if (isQuiet()) return;
    seen = { revision: world.revision, at: world.now() };
    events.look();
    for (const [mac, { identity }] of up) if (identity !== wanted(world, mac)) stop(up, mac);
    for (const machine of Object.values(world.state.machines)) {
      const identity = identityOf(world, machine);
      if (identity && !up.has(machine.mac)) up.set(machine.mac, await start(world, machine, identity, events, up));
    }
  };
  const turn = () => (busy ??= look().finally(() => (busy = undefined)));
  await turn();
  const timer = setInterval(() => void turn(), everyMs);
  return {
    portOf(address) {
      const machine = machineAt(world, address);
      const there = machine && up.get(machine.mac);
      // between two looks the machine may have gone down
      return there && there.identity === identityOf(world, machine) ? there.port : undefined;
    },
    async follow() {
      await busy; // it may have begun before the change
      await turn();
    },
    async close() {
      clearInterval(timer);
      await busy;
      for (const mac of up.keys()) stop(up, mac);
    },
  };
}

function wanted(world: World, mac: string): string | undefined {
  const machine = world.state.machines[mac];
  return machine && identityOf(world, machine);
}

/** Goes down as a machine does: whoever is connected finds the connection gone. */
function stop(up: Map<string, Up>, mac: string): void {
  const gone = up.get(mac);
  up.delete(mac);
  gone?.down.abort();
  gone?.server.forceShutdown();
}

/** For whoever asks for a machine that is not up. */
const DOWN = AbortSignal.abort();

async function start(world: World, { mac }: MachineState, identity: string, events: Events, up: Map<string, Up>): Promise<Up> {
  const machine = () => world.state.machines[mac]!;
  const server = new Server({ "grpc.max_receive_message_length": 32 * 1024 ** 2 });
  const endpoint: Endpoint = { world, machine, events, down: (mac) => up.get(mac)?.down.signal ?? DOWN };
  for (const [service, { unary: calls = {}, streams = {}, plain = [] }] of Object.entries(HANDLERS)) {
    const handlers: UntypedServiceImplementation = {};
    const path = (method: string) => `/${service}/${method}`;
    for (const [name, handle] of Object.entries(calls)) handlers[name] = unary(endpoint, path(name), handle, !plain.includes(name));
    for (const [name, handle] of Object.entries(streams)) handlers[name] = streaming(endpoint, path(name), handle);
    server.addService(SERVICES[service]!, handlers);
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentialsOf(world, machine()), (error, port) => (error ? reject(error) : resolve(port))),
  );
  const down = new AbortController();
  setMaxListeners(0, down.signal); // one for each stream that is open
  return { identity, server, port, down };
}

interface Handlers {
  unary?: Record<string, Unary>;
  streams?: Record<string, Stream>;
  /** Methods whose reply is no list of messages. */
  plain?: string[];
}

const HANDLERS: Record<string, Handlers> = {
  "machine.MachineService": { unary: { ...NODE.unary, ...ETCD.unary, ...POWER }, streams: { ...NODE.streams, ...ETCD.streams } },
  "machine.LifecycleService": { streams: LIFECYCLE },
  "machine.ImageService": { streams: IMAGES },
  "cluster.ClusterService": { streams: HEALTH },
  "storage.StorageService": { unary: STORAGE },
  "time.TimeService": { unary: TIME },
  "cosi.resource.State": { ...RESOURCES, plain: ["Get"] },
};
