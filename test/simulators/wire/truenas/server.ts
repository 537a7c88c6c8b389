// What all connections to one simulated TrueNAS share: the world behind it, its APIs, jobs, tokens, the pace at which its time passes. In memory only, and gone when it ends.
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Account, type Around, type Decision, era, hashKey, type NasState } from "../../world/nas/nas.ts";
import { failed, type Refusal } from "../../world/nas/refusals.ts";
import type { World } from "../../world/world.ts";
import type { CollectionEvent } from "./envelope.ts";
import { type JobRow, type Jobs, openJobs } from "./jobs.ts";
import { type Api, loadApi, openReader, type Read } from "./params.ts";
import { Refused } from "./refused.ts";

/** What a test may set. */
export interface Knobs {
  /** Milliseconds in which a second of the NAS's own waiting passes: held-back refusals, guests that shut down, rate limits. */
  second?: number;
  /** Milliseconds of silence after which the proxy in front cuts a connection. */
  idleMs?: number;
  /** Seconds that a guest takes to shut down when it is told to; undefined for one that does not listen. */
  guestStops?: (vm: string) => number | undefined;
}

/** One connection. */
export interface Client {
  account: Account | undefined;
  legacyJobs: boolean;
  /** By subscription id. */
  subscriptions: Map<string, string>;
  send(message: object): void;
  isOpen(): boolean;
}

export interface Version {
  name: string;
  api: Api;
  read(method: string, params: unknown[]): Read;
  /** 25.04.0 and .1: their models cannot be translated. */
  withoutVms: boolean;
}

export interface Server {
  world: World;
  nas(): Readonly<NasState>;
  around: Around;
  knobs: Required<Knobs>;
  jobs: Jobs;
  clients: Set<Client>;
  tokens: Map<string, Token>;
  bootId: string;
  /** What `/api/versions` lists, and how each is spoken. */
  versions: Map<string, Version>;
  current: Version;
  /** Lets seconds of the NAS's time pass. Rejects when the server ends, and on 26 when the caller has gone. */
  wait(seconds: number, client?: Client): Promise<void>;
  /** Carries out a decision: throws its refusal, or makes its change as one of the product's. */
  act<T>(method: string, decision: Decision<T>): T;
  publish(event: CollectionEvent): void;
  /** Ends all waiting. */
  stop: AbortController;
}

export interface Token {
  username: string;
  until: number;
  ttl: number;
  singleUse: boolean;
  usable: boolean;
}

/** API versions that a server offers, and the schemas that stand for each. Those between releases are spoken like the next. */
const OFFERED: Record<2504 | 2510 | 26, [name: string, schemas: string][]> = {
  2504: ["25.04.0", "25.04.1", "25.04.2"].map((name) => [name, "25.04.2"]),
  2510: [
    ...["25.04.0", "25.04.1", "25.04.2"].map((name): [string, string] => [name, "25.04.2"]),
    ...["25.10.0", "25.10.1", "25.10.2", "25.10.5"].map((name): [string, string] => [name, "25.10.5"]),
  ],
  26: [
    ...["25.04.0", "25.04.1", "25.04.2"].map((name): [string, string] => [name, "25.04.2"]),
    ...["25.10.0", "25.10.1", "25.10.2", "25.10.3", "25.10.4"].map((name): [string, string] => [name, "25.10.5"]),
    ["26.0.0", "26.0.0"],
  ],
};

const READY = { second: 40, idleMs: 60_000, guestStops: () => 3 };
/** nginx in front of 26 has an hour. */
const IDLE_26 = 3_600_000;
const IDLE_CUT = 300;

/** Milliseconds of silence until the connection is cut; the fault `nas-idle-cut` makes it short. */
export const idleMs = ({ world, knobs, nas }: Server) =>
  world.has("nas-idle-cut") ? IDLE_CUT : era(nas()) === 26 && knobs.idleMs === READY.idleMs ? IDLE_26 : knobs.idleMs;

/** Everything but the sockets. */
export async function openServer(world: World, knobs: Knobs): Promise<Server> {
  const stop = new AbortController();
  const nas = () => world.state.nas;
  const versions = await openVersions(era(nas()));
  const clients = new Set<Client>();
  const publish = (event: CollectionEvent) => {
    for (const client of clients)
      if ([...client.subscriptions.values()].some((name) => name === event.collection || name === "*"))
        client.send({ jsonrpc: "2.0", method: "collection_update", params: event });
  };
  const tell = (msg: "added" | "changed", row: JobRow) => publish({ msg, collection: "core.get_jobs", id: row.id, fields: row });
  const server: Server = {
    world,
    nas,
    around: {
      now: () => world.now(),
      has: (fault) => world.has(fault),
      written: (guid) => (Object.values(world.state.machines).some(({ installed }) => installed?.disk === guid) ? TALOS_BYTES : 0),
    },
    knobs: { ...READY, ...knobs },
    jobs: openJobs(() => world.now(), tell),
    clients,
    tokens: new Map(),
    bootId: randomUUID(),
    versions,
    current: [...versions.values()].at(-1)!,
    async wait(seconds, client) {
      await pause(seconds * server.knobs.second, undefined, { signal: stop.signal, ref: false });
      if (client && !client.isOpen() && era(nas()) === 26) throw new Refused(failed("Request was cancelled"));
    },
    act(method, decision) {
      if ("error" in decision) throw new Refused(decision.error);
      if ("answer" in decision) return decision.answer;
      return world.change("product", `nas ${method} ${decision.what}`, (state) => decision.apply(state.nas));
    },
    publish,
    stop,
  };
  return server;
}

const TALOS_BYTES = 1_900_000_000;

const spoken = new Map<string, Promise<Pick<Version, "api" | "read">>>();

/** Schemas are read and compiled once in a process. */
function speak(schemas: string): Promise<Pick<Version, "api" | "read">> {
  let files = spoken.get(schemas);
  if (!files) {
    const api = loadApi(schemas);
    spoken.set(schemas, (files = openReader(api).then((read) => ({ api, read }))));
  }
  return files;
}

async function openVersions(of: keyof typeof OFFERED): Promise<Map<string, Version>> {
  const versions = new Map<string, Version>();
  for (const [name, schemas] of OFFERED[of])
    versions.set(`v${name}`, { name, ...(await speak(schemas)), withoutVms: ["25.04.0", "25.04.1"].includes(name) });
  return versions;
}

/** The account that a key belongs to; undefined for one that is unknown, expired, or refused by the fault `nas-login-locked`. */
export const accountOfKey = ({ world, nas }: Server, key: string) =>
  world.has("nas-login-locked") ? undefined : nas().accounts.find((account) => account.key === hashKey(key));

/** A token that stands for a login for a while. */
export function makeToken({ tokens, world }: Server, account: Account, ttl: number, { singleUse = false, usable = true } = {}): string {
  const text = randomBytes(36).toString("base64url");
  tokens.set(text, { username: account.username, until: world.now() + ttl * 1000, ttl, singleUse, usable });
  return text;
}

/** The account behind a token; it lives on with each use, unless it was for one only. */
export function useToken({ tokens, world, nas }: Server, text: string): Account | undefined {
  const token = tokens.get(text);
  if (!token?.usable) return undefined;
  const isOver = token.until < world.now();
  if (isOver || token.singleUse) tokens.delete(text);
  else token.until = world.now() + token.ttl * 1000;
  return isOver ? undefined : nas().accounts.find(({ username }) => username === token.username);
}

export const refuse = (refusal: Refusal): never => {
  throw new Refused(refusal);
};

/** The answer of a look at the state, or its refusal, thrown. */
export const answerOf = <T>(looked: { answer: T } | { error: Refusal }): T => ("error" in looked ? refuse(looked.error) : looked.answer);
