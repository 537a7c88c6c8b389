// A simulated TrueNAS with a world in memory, and a small client of its wire that holds every answer against the vendor's schema of it.
import { request } from "node:https";
import type { ValidateFunction } from "ajv/dist/2020.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { WebSocket } from "ws";
import { createAuthority } from "../../simulators/world/certificates.ts";
import { type TrueNas, serveTrueNas } from "../../simulators/wire/truenas/truenas.ts";
import { loadApi } from "../../simulators/wire/truenas/params.ts";
import type { Knobs } from "../../simulators/wire/truenas/server.ts";
import type { Fault } from "../../simulators/world/faults.ts";
import { freshNas, type NasState } from "../../simulators/world/nas/nas.ts";
import type { State, World } from "../../simulators/world/world.ts";

export const KEY = "1-taint-nas-key";
const pair = createAuthority({ subject: { commonName: "nas" }, days: 1, hosts: ["127.0.0.1"], use: ["server"] });

export interface MemoryWorld extends World {
  state: State;
  /** `product: nas vm.create k8s_0`. */
  changes: string[];
}

/** A world that is only a NAS. */
export function nasWorld(version: string, faults: Partial<Record<Fault, number>> = {}): MemoryWorld {
  const state = { nas: freshNas({ version, key: KEY }), machines: {}, faults } as unknown as State;
  const changes: string[] = [];
  return {
    folder: "/nowhere",
    state,
    changes,
    get revision() {
      return changes.length;
    },
    now: () => Date.now(),
    change(by, what, apply) {
      changes.push(`${by}: ${what}`);
      return apply(state);
    },
    has: (fault) => (state.faults[fault] ?? 0) > 0,
    strikes(fault) {
      if (!this.has(fault)) return false;
      state.faults[fault]! -= 1;
      return true;
    },
  };
}

export interface NasError {
  code: number;
  message: string;
  data?: { error: number; errname: string; reason: string; extra: unknown; trace: { frames?: unknown[] } };
}

export interface Event {
  msg: string;
  collection: string;
  id: number;
  fields?: any;
  extra?: any;
}

export interface TestClient {
  /** Rejects with the reply's error, or with an Error when the socket closes. */
  call(method: string, ...params: unknown[]): Promise<any>;
  /** Sends this text and resolves with the next message that is no event. */
  say(text: string | Buffer): Promise<any>;
  send(text: string): void;
  /** Starts a job and resolves with its row at its end. */
  job(method: string, ...params: unknown[]): Promise<any>;
  events: Event[];
  closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

export interface Bench {
  world: MemoryWorld;
  nas(): NasState;
  server: TrueNas;
  connect(options?: { path?: string; login?: boolean }): Promise<TestClient>;
  get(path: string): Promise<{ status: number; text: string }>;
  upload(parts: [name: string, content: string | Buffer][], headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

/** `second`: 5 ms, so that what takes the NAS a minute takes a test 300 ms. */
export async function openBench(version: string, faults: Partial<Record<Fault, number>> = {}, knobs: Knobs = {}): Promise<Bench> {
  const world = nasWorld(version, faults);
  const server = await serveTrueNas(world, { ...pair, version, second: 5, ...knobs });
  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: Buffer) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: server.port, path, method, headers, rejectUnauthorized: false }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode!, text }));
        response.on("error", reject);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  return {
    world,
    nas: () => world.state.nas,
    server,
    connect: ({ path = "/api/current", login = true } = {}) => connect(server.port, path, login, version),
    get: (path) => ask("GET", path),
    upload: (parts, headers = {}) =>
      ask("POST", "/_upload", { "content-type": `multipart/form-data; boundary=${BOUNDARY}`, ...headers }, multipart(parts)),
    close: () => server.close(),
  };
}

export const BOUNDARY = "b0und";
export const multipart = (parts: [name: string, content: string | Buffer][]) =>
  Buffer.concat([
    ...parts.flatMap(([name, content]) => [
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
      Buffer.from(content as string),
      Buffer.from("\r\n"),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);

const ajv = new Ajv2020({ strict: false, allErrors: true });
const validators = new Map<string, ValidateFunction>();
const apis = new Map<string, ReturnType<typeof loadApi>>();

/** Throws when an answer is not what the vendor's schema says. */
function check(version: string, method: string, result: unknown): void {
  const api = apis.get(version) ?? loadApi(version);
  apis.set(version, api);
  const { job, returns } = api.methods[method]!;
  if (job) return;
  const key = `${version} ${method}`;
  const validate = validators.get(key) ?? ajv.compile(returns);
  validators.set(key, validate);
  if (!validate(result)) throw new Error(`${method} answered what its schema does not allow: ${ajv.errorsText(validate.errors)}`);
}

async function connect(port: number, path: string, login: boolean, version: string): Promise<TestClient> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, { rejectUnauthorized: false });
  const waiting = new Map<unknown, { resolve(result: unknown): void; reject(error: unknown): void }>();
  const others: ((message: any) => void)[] = [];
  const events: Event[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (code, reason) => {
      for (const { reject } of waiting.values()) reject(new Error(`closed with ${code}`));
      resolve({ code, reason: reason.toString() });
    }),
  );
  await new Promise<void>((resolve, reject) => void socket.on("open", resolve).on("error", reject));
  socket.on("message", (data) => {
    const message = JSON.parse(String(data as Buffer));
    if (message.method === "collection_update") return void events.push(message.params);
    const waits = waiting.get(message.id);
    if (!waits) return others.shift()?.(message);
    waiting.delete(message.id);
    if (message.error) waits.reject(message.error);
    else waits.resolve(message.result);
  });
  let next = 1;
  const call: TestClient["call"] = async (method, ...params) => {
    const id = `call-${next++}`;
    const result = await new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
    if (path === "/api/current") check(version, method, result);
    return result;
  };
  if (login) await call("auth.login_ex", { mechanism: "API_KEY_PLAIN", username: "talos", api_key: KEY });
  return {
    call,
    say: (text) =>
      new Promise((resolve) => {
        others.push(resolve);
        socket.send(text);
      }),
    send: (text) => socket.send(text),
    async job(method, ...params) {
      const id = (await call(method, ...params)) as number;
      for (;;) {
        const [row] = (await call("core.get_jobs", [["id", "=", id]])) as { state: string }[];
        if (row && !["WAITING", "RUNNING"].includes(row.state)) return row;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    events,
    closed,
    close: () => socket.close(),
  };
}

/** The error of a call that must be refused. */
export async function refusalOf(call: Promise<unknown>): Promise<NasError> {
  try {
    await call;
  } catch (error) {
    return error as NasError;
  }
  throw new Error("it was not refused");
}
