// How a call finds its node: the `node` and `nodes` of its metadata, as apid passes calls on and gathers the replies of many.
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { addressesOf, configOf } from "../../world/talos/machines.ts";
import { NOT_AUTHORIZED, refusedInMaintenance } from "../../world/talos/maintenance.ts";
import { forwarded } from "../../world/talos/reach.ts";
import { ADMIN, MAINTENANCE, mayCall } from "../../world/talos/roles.ts";
import type { World } from "../../world/world.ts";
import type { Events } from "./events.ts";
import { codeOf, errorOf, isRefused } from "./status.ts";
import { DROPPED, type Status, wordsOf } from "../../world/talos/grpc-status.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

/** A call as a node sees it. */
export interface Called {
  world: World;
  machine: MachineState;
  request: any;
  events: Events;
  /** Of who calls. */
  roles: string[];
}

/** Where a call comes in. */
export interface Endpoint {
  world: World;
  /** The machine as it is now. */
  machine(): MachineState;
  events: Events;
  /** Aborts when the machine with this MAC goes down. */
  down(mac: string): AbortSignal;
}

export type Unary = (called: Called) => object | Status | Promise<object | Status>;
export type Stream = (
  called: Called,
  send: (message: object) => void,
  over: AbortSignal,
) => void | Status | undefined | Promise<void | Status | undefined>;

/** Services whose replies can be gathered from many nodes. */
const GATHERS = /^\/(machine\.MachineService|cluster\.ClusterService|storage\.StorageService|time\.TimeService)\//;

interface Target {
  node: string;
  there: { machine: MachineState } | Status;
}

/** The nodes a call is for, and whether their replies are gathered; a refusal when the endpoint does not pass it on. */
export function targetsOf(endpoint: Endpoint, metadata: Metadata, path: string): { targets: Target[]; gathers: boolean } | Status {
  const { world } = endpoint;
  const machine = endpoint.machine();
  // Node's HTTP/2 joins repeated headers into one
  const named = (key: string) =>
    metadata
      .get(key)
      .flatMap((value) => String(value).split(/,\s*/))
      .filter(Boolean);
  const [one, many] = [named("node"), named("nodes")];
  if (one.length > 1) return { code: "InvalidArgument", description: "node metadata must be single-valued" };
  const config = machine.stage === "running" ? configOf(machine) : undefined;
  const own = (node: string | undefined) => node !== undefined && addressesOf(machine).includes(node);
  const wanted = many.length > 0 ? many : one;
  if (many.length > 0 && !GATHERS.test(path))
    return { code: "InvalidArgument", description: `one-2-many proxying is not supported for method ${path}` };
  const forwards = config?.type === "controlplane";
  if (wanted.length === 0 || (!forwards && wanted.length === 1 && own(wanted[0])))
    return { targets: [{ node: addressesOf(machine)[0]!, there: { machine } }], gathers: false };
  if (!forwards) return { code: "PermissionDenied", description: "no request forwarding" };
  return { targets: wanted.map((node) => ({ node, there: forwarded(world, node, config.ca.crt) })), gathers: many.length > 0 };
}

/** How a failure of one node stands among the replies of many. */
const failureOf = (node: string, refused: Status) => ({
  metadata: { hostname: node, error: wordsOf(refused), status: { code: codeOf(refused), message: refused.description } },
});

/** The roles in a caller's certificate; a node in maintenance asks for none. */
function rolesOf(call: Incoming): string[] {
  const { O = [] } = call.getAuthContext().sslPeerCertificate?.subject ?? {};
  return [O].flat();
}

function called({ world, events }: Endpoint, machine: MachineState, call: Incoming, path: string): Called | Status {
  const { request } = call;
  const refused = refusedInMaintenance(machine, path, request);
  if (refused) return refused;
  const roles = machine.stage === "running" ? rolesOf(call) : MAINTENANCE;
  // only a machine without a config takes one from whoever reads
  const mayNot =
    !mayCall(roles, path.slice(1)) || (machine.stage === "running" && path.endsWith("/ApplyConfiguration") && !roles.includes(ADMIN));
  return mayNot ? NOT_AUTHORIZED : { world, machine, request, events, roles };
}

type Incoming = ServerUnaryCall<any, any> | ServerWritableStream<any, any>;

/** A unary method; `gathered` replies are lists of messages, one a node. */
export const unary =
  (endpoint: Endpoint, path: string, handle: Unary, gathered = true): handleUnaryCall<any, any> =>
  async (call, reply) => {
    try {
      const found = targetsOf(endpoint, call.metadata, path);
      if (isRefused(found)) return reply(errorOf(found));
      const messages: object[] = [];
      for (const { node, there } of found.targets) {
        const site = isRefused(there) ? there : called(endpoint, there.machine, call, path);
        const answer = isRefused(site) ? site : await handle(site);
        if (!found.gathers) return isRefused(answer) ? reply(errorOf(answer)) : reply(null, gathered ? { messages: [answer] } : answer);
        messages.push(isRefused(answer) ? failureOf(node, answer) : { ...answer, metadata: { hostname: node } });
      }
      reply(null, { messages });
    } catch (error) {
      reply(errorOf(broken(error)));
    }
  };

/** A method that answers with a stream; those of many nodes come with the name of the node in each message. */
export const streaming =
  (endpoint: Endpoint, path: string, handle: Stream): handleServerStreamingCall<any, any> =>
  async (call) => {
    const found = targetsOf(endpoint, call.metadata, path);
    if (isRefused(found)) return fail(call, found);
    const outcomes = await Promise.all(
      found.targets.map(({ node, there }) => run(endpoint, path, call, found.gathers, node, there, handle)),
    );
    const refused = outcomes.find((outcome) => outcome !== undefined);
    if (call.destroyed) return;
    if (refused && !found.gathers) fail(call, refused);
    else call.end();
  };

async function run(
  endpoint: Endpoint,
  path: string,
  call: ServerWritableStream<any, any>,
  gathers: boolean,
  node: string,
  there: Target["there"],
  handle: Stream,
): Promise<Status | undefined> {
  const gone = new AbortController();
  call.once("cancelled", () => gone.abort());
  call.once("close", () => gone.abort());
  const send = (message: object) => {
    if (!call.destroyed) call.write(gathers ? { ...message, metadata: { hostname: node } } : message);
  };
  const site = isRefused(there) ? there : called(endpoint, there.machine, call, path);
  let outcome: Status | void | undefined;
  if (isRefused(site)) outcome = site;
  else {
    const down = endpoint.down(site.machine.mac);
    const lost = new Promise<Status>((resolve) => {
      const tell = () => resolve(DROPPED);
      if (down.aborted) tell();
      else down.addEventListener("abort", tell, { once: true });
    });
    outcome = await Promise.race([Promise.resolve(handle(site, send, AbortSignal.any([gone.signal, down]))).catch(broken), lost]);
  }
  if (!isRefused(outcome)) return undefined;
  if (gathers && !call.destroyed) call.write(failureOf(node, outcome));
  return outcome;
}

/** The only way to end a stream with an error that grpc-js sends. */
const fail = (call: ServerWritableStream<any, any>, refused: Status) => void call.emit("error", errorOf(refused));

const broken = (error: unknown): Status => ({ code: "Internal", description: error instanceof Error ? error.message : String(error) });

export type Handlers = Record<string, UntypedHandleCall>;
