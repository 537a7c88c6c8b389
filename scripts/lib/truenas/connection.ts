// One open connection to TrueNAS: JSON-RPC 2.0 with replies in any order, and a ping so that proxies do not close it.
import { Failure, textOf } from "../run/errors.ts";
import { readJson } from "../run/tool-output.ts";
import { NasRefused, NoAnswer, type RpcError } from "./refusal.ts";
import { patient } from "../run/patience.ts";

/** An open socket. */
export interface Wire {
  send(text: string): void;
  close(): void;
  onText(listen: (text: string) => void): void;
  /** Reports why it closed. A Failure means that reconnecting cannot succeed. */
  onClose(listen: (why: Error) => void): void;
}

export interface Connection {
  /** One call. Rejects with NasRefused, or with NoAnswer when the connection closes or `seconds` pass. */
  call(method: string, params: readonly unknown[], seconds: number, what?: string): Promise<unknown>;
  onEvent(listen: (event: CollectionUpdate) => void): void;
  readonly open: boolean;
  close(): void;
}

export interface CollectionUpdate {
  collection: string;
  msg: string;
  id?: number;
  fields?: Record<string, unknown>;
}

const PING_SECONDS = 20; // nginx in front of 25.04 and 25.10 closes a connection that is idle for 60 s

interface Pending {
  method: string;
  what: string | undefined;
  timer: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Speaks JSON-RPC over an open wire until it closes. */
export function openConnection(wire: Wire): Connection {
  const pending = new Map<number, Pending>();
  const listeners: ((event: CollectionUpdate) => void)[] = [];
  let next = 1;
  let closed: Error | undefined;

  const end = (why: Error) => {
    if (closed !== undefined) return;
    closed = why;
    clearInterval(ping);
    for (const { reject, timer, method } of pending.values()) {
      clearTimeout(timer);
      reject(why instanceof Failure ? why : new NoAnswer(`the connection to TrueNAS closed during ${method}: ${why.message}`));
    }
    pending.clear();
  };
  const call: Connection["call"] = (method, params, seconds, what) =>
    new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(new NoAnswer(`the connection to TrueNAS is closed: ${closed.message}`, { sent: false }));
      const id = next++;
      const timer = setTimeout(
        () => {
          pending.delete(id);
          reject(new NoAnswer(`no answer to ${method} within ${patient(seconds)} s`));
        },
        patient(seconds) * 1000,
      );
      pending.set(id, { method, what, timer, resolve, reject });
      wire.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  const ping = setInterval(() => {
    call("core.ping", [], PING_SECONDS).catch((error: unknown) => {
      if (error instanceof NoAnswer) hangUp("it does not answer pings"); // half open: no reply would ever arrive
    });
  }, PING_SECONDS * 1000);
  ping.unref();
  const hangUp = (why: string) => {
    end(new NoAnswer(why));
    wire.close();
  };

  wire.onClose(end);
  wire.onText((text) => {
    let message: Message;
    try {
      message = readJson(text, { command: "JSON-RPC of TrueNAS" }, {});
    } catch (error) {
      return hangUp(textOf(error)); // it could answer any pending call, so all of them end without an answer
    }
    if (message.method === "collection_update") return listeners.forEach((listen) => listen(message.params as CollectionUpdate));
    const waiting = typeof message.id === "number" ? pending.get(message.id) : undefined;
    if (!waiting) return;
    pending.delete(message.id!);
    clearTimeout(waiting.timer);
    if (message.error) waiting.reject(new NasRefused(waiting.method, message.error, waiting.what));
    else waiting.resolve(message.result);
  });
  return {
    call,
    onEvent: (listen) => void listeners.push(listen),
    get open() {
      return closed === undefined;
    },
    close: () => hangUp("this client closed it"),
  };
}

interface Message {
  id?: number | null;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: RpcError;
}
