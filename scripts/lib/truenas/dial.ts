// Opens the socket to the NAS with undici and reads which API versions it offers. It connects without a proxy: the NAS is in the same network.
import type { Agent } from "undici";
import { Failure } from "../run/errors.ts";
import { readJson } from "../run/tool-output.ts";
import { CertificateRefused, connector, type Trust } from "./certificate.ts";
import type { Wire } from "./connection.ts";
import { NoAnswer } from "./refusal.ts";
import { patient } from "../run/patience.ts";

export interface Line {
  /** `GET /api/versions`. */
  versions(): Promise<string[]>;
  /** A new socket on `/api/<version>`. Throws NoAnswer for a transient error, a Failure for a permanent one. */
  dial(version: string): Promise<Wire>;
  /** For uploads, with the same certificate check. */
  readonly agent: Agent;
  readonly host: string;
  close(): Promise<void>;
}

const OPEN_SECONDS = 15;
/** WebSocket close code of TrueNAS for a client address that is not allowed. */
const NOT_ALLOWED = 1008;

/** Prepares connections to `host` (`host:port`), whose certificate must pass `trust`. It does not connect yet. */
export async function openLine(host: string, trust: Trust, store: string): Promise<Line> {
  const { Agent, request, WebSocket } = await import("undici");
  const connect = await connector(trust, store);
  let lastError: Error | undefined; // a WebSocket's error event is empty
  const noting: typeof connect = (options, callback) =>
    connect(options, ((error: Error | null, socket: never) => {
      lastError = error ?? undefined;
      callback(error as never, socket);
    }) as typeof callback);
  const agent = new Agent({ connect: noting, headersTimeout: 0, bodyTimeout: 0 });
  return {
    agent,
    host,
    close: () => agent.destroy(),
    async versions() {
      try {
        const { statusCode, body } = await request(`https://${host}/api/versions`, {
          dispatcher: agent,
          signal: AbortSignal.timeout(patient(OPEN_SECONDS) * 1000),
        });
        const text = await body.text();
        if (statusCode === 404) return [];
        if (statusCode !== 200) throw new NoAnswer(`GET /api/versions: status ${statusCode}`);
        return readJson<string[]>(text, { command: `GET https://${host}/api/versions` }, [""]);
      } catch (error) {
        throw whyNot(error, lastError);
      }
    },
    dial: (version) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://${host}/api/${version}`, { dispatcher: agent });
        const late = setTimeout(
          () => {
            reject(new NoAnswer(`the socket did not open within ${patient(OPEN_SECONDS)} s`));
            socket.close();
          },
          patient(OPEN_SECONDS) * 1000,
        );
        let close = (_why: Error) => {};
        socket.addEventListener("open", () => {
          clearTimeout(late);
          resolve({
            send: (text) => socket.send(text),
            close: () => socket.close(),
            onText: (listen) => socket.addEventListener("message", ({ data }) => listen(String(data))),
            onClose: (listen) => void (close = listen),
          });
        });
        socket.addEventListener("error", () => {}); // a close event follows
        socket.addEventListener("close", ({ code, reason }) => {
          clearTimeout(late);
          close(closing(code, reason));
          reject(whyNot(closing(code, reason), lastError));
        });
      }),
  };
}

const closing = (code: number, reason: string): Error =>
  code === NOT_ALLOWED
    ? new Failure({
        attempted: "connect to TrueNAS",
        said: reason || "this address is not allowed",
        next: "TrueNAS: System → Advanced Settings → Allowed IP Addresses",
      })
    : new NoAnswer(["closed with", code, reason].filter(Boolean).join(" "));

/** A refused certificate is permanent; everything else is transient: a restart of the NAS, a network outage. */
function whyNot(error: unknown, connecting: Error | undefined): Error {
  const refused = [error, (error as Error).cause, connecting].find((link) => link instanceof CertificateRefused || link instanceof Failure);
  if (refused) return refused as Error;
  if (error instanceof NoAnswer && !connecting) return error;
  const { message, code } = (connecting ?? error) as NodeJS.ErrnoException;
  return new NoAnswer(message || code || "no connection");
}
