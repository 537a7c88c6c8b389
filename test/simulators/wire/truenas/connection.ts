// One socket to the simulated TrueNAS: its limits, its login, its calls, and how it can be cut.
import type { WebSocket } from "ws";
import { era } from "../../world/nas/nas.ts";
import { ERRNO, failed, raised, type Refusal, untaught } from "../../world/nas/refusals.ts";
import { errorReply, NO_METHOD, readMessage, reply, type Request, rpcError, TOO_MANY } from "./envelope.ts";
import { CHANGES, METHODS } from "./methods.ts";
import { isTooOften } from "./rate.ts";
import { Refused } from "./refused.ts";
import { resultOf } from "./jobs.ts";
import { type Client, idleMs, type Server, type Version } from "./server.ts";
import type { Call } from "./call.ts";

const ANONYMOUS_MAX = 8_192;
const LOGGED_IN_MAX = 65_536;
const RUNNING = 10;
const IN_FLIGHT = 20;

/** Serves a socket until it closes. */
export function serveConnection(server: Server, version: Version, socket: WebSocket): void {
  let inFlight = 0;
  const turn = queue(RUNNING);
  let idle: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(idle);
    idle = setTimeout(() => socket.terminate(), idleMs(server));
    idle.unref();
  };
  const client: Client = {
    account: undefined,
    legacyJobs: true,
    subscriptions: new Map(),
    isOpen: () => socket.readyState === socket.OPEN,
    send(message) {
      if (!client.isOpen()) return;
      alive(); // the proxy in front counts what comes from the server
      socket.send(JSON.stringify(message));
    },
  };
  server.clients.add(client);
  alive();
  const answer = async (request: Request) => {
    const send = (message: object) => void ("id" in request && client.send(message));
    const { world } = server;
    const busy = client.account && request.method !== "core.ping" && world.strikes("nas-busy");
    if (inFlight >= IN_FLIGHT || busy) return send(errorReply(request.id, TOO_MANY));
    const changes = CHANGES.has(request.method) && client.account !== undefined;
    if (changes && world.strikes("nas-drops-socket")) return socket.terminate();
    inFlight += 1;
    try {
      const result = await turn(() => dispatch({ server, client, version, method: request.method, id: request.id, given: request.params }));
      if (changes && world.strikes("nas-loses-reply")) return socket.terminate();
      send(reply(request.id, result ?? null));
    } catch (error) {
      if (error === ABSENT) return send(errorReply(request.id, NO_METHOD));
      if (server.stop.signal.aborted) return; // the server ends: nobody is told anything any more
      if (!(error instanceof Refused)) throw error;
      send(errorReply(request.id, rpcError(error.refusal, { frames: era(server.nas()) !== 26, params: masked(request) })));
    } finally {
      inFlight -= 1;
    }
  };
  socket.on("ping", alive);
  socket.on("message", (data, isBinary) => {
    if (isBinary) return socket.close(1003);
    const text = String(data as Buffer);
    if (!client.account && text.length > ANONYMOUS_MAX) return socket.close(1007, "Anonymous connection max message length is 8 kB");
    if (text.length > LOGGED_IN_MAX) return socket.close(1009, "Max message length is 64 kB");
    const read = readMessage(text);
    if ("request" in read) void answer(read.request).catch((error: unknown) => broke(socket, error));
    else if (read.refused) client.send(read.refused);
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearTimeout(idle);
    server.clients.delete(client);
  });
}

/** What the simulator itself got wrong is seen by whoever runs it. */
function broke(socket: WebSocket, error: unknown): void {
  process.stderr.write(`the simulated NAS broke: ${error instanceof Error ? error.stack : String(error)}\n`);
  socket.close(1011);
}

const masked = ({ method, params }: Request) =>
  method.startsWith("auth.")
    ? params.map((param) =>
        typeof param === "object" && param !== null
          ? { ...param, api_key: "********", password: "********", token: "********" }
          : "********",
      )
    : params;

const ABSENT = Symbol("no such method");

async function dispatch(call: Call): Promise<unknown> {
  const { server, client, version, method: name, given } = call;
  const method = version.api.methods[name];
  const run = METHODS[name];
  if (version.withoutVms && name.startsWith("vm.")) throw new Refused(methodNotFound(name));
  if (version.name === "25.04.2" && version !== server.current && UNTRANSLATED.includes(name)) throw new Refused(methodNotFound(name));
  if (!method && version.api.others.includes(name)) throw new Refused(untaught(name));
  if (!method || !run) throw ABSENT;
  if (!client.account) {
    if (method.rateLimited && isTooOften(server, name)) {
      await server.wait(1 + Math.random() * 9);
      throw new Refused(failed("Rate Limit Exceeded", ERRNO.EBUSY));
    }
    if (!method.anonymous) throw new Refused(failed("Not authenticated", ERRNO.ENOTAUTHENTICATED));
  } else if (method.roles && !["FULL_ADMIN", ...method.roles].some((role) => client.account!.roles.includes(role))) {
    throw new Refused(failed("Not authorized", ERRNO.EACCES));
  }
  const early = refusedBeforeReading(call);
  if (early) throw new Refused(early);
  const read = version.read(name, given);
  if ("error" in read) throw new Refused(read.error);
  const result = await run(call, ...read.values);
  if (!method.job || client.legacyJobs) return result;
  return resultOf(await server.jobs.ended(result as number));
}

/** Models whose classes were renamed after 25.04. */
const UNTRANSLATED = ["vm.device.nic_attach_choices", "vm.device.iotype_choices"];

function methodNotFound(name: string): Refusal {
  const [, service, method] = /^(.*)\.([^.]+)$/.exec(name)!;
  return failed(`Method '${method}' not found in '${service}'`, ERRNO.ENOMETHOD);
}

const CRUD: Record<string, string[]> = { create: ["'data'"], update: ["'id_'", "'data'"], delete: ["'id_'"] };

/** What fails before parameters are looked at: 25.04's CRUD methods, and locks that are made of parameters. */
function refusedBeforeReading({ server, method, given }: Call): Refusal | undefined {
  if (given.length > 0) return undefined;
  if (method === "vm.stop") return failed("Error handling job lock. This is most likely caused by invalid call arguments.", ERRNO.EINVAL);
  const verb = method.split(".").at(-1)!;
  const missing = era(server.nas()) === 2504 && /^(vm|vm\.device|pool\.dataset)\.\w+$/.test(method) ? CRUD[verb] : undefined;
  if (!missing) return undefined;
  return raised(
    "TypeError",
    `CRUDService.${verb}() missing ${missing.length} required positional argument${missing.length > 1 ? "s" : ""}: ${missing.join(" and ")}`,
  );
}

/** Lets so many run at once; the others wait their turn. */
function queue(most: number): <T>(run: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
