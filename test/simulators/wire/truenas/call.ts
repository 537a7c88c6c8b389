// A call to the simulated TrueNAS, and the signature of the methods that answer it.
import type { Request } from "./envelope.ts";
import type { Client, Server, Version } from "./server.ts";

/** A call on its way to a method. */
export interface Call {
  server: Server;
  client: Client;
  version: Version;
  method: string;
  /** The message's id. */
  id: Request["id"];
  /** Parameters as they came, before defaults were filled in. */
  given: unknown[];
}

/** Answers a call whose parameters were read; a job's is its number. */
export type Run = (call: Call, ...params: any[]) => unknown;
