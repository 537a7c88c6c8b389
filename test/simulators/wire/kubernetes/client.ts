// The API server for the home's own controllers: one HTTP/2 connection with the cluster's certificates, for requests and watches.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";

export interface Answer {
  status: number;
  body: any;
}

export interface ApiClient {
  /** One request; a body is sent as JSON of that type. Rejects when the connection does. */
  ask(method: string, path: string, body?: unknown, type?: string): Promise<Answer>;
  /** Calls `event` for each event of a watch; resolves when the server or `close` ends it, with the status when it was refused. */
  watch(path: string, event: (event: WatchEvent) => void): Promise<number>;
  close(): void;
}

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: any;
}

export const MERGE = "application/merge-patch+json";
export const APPLY = "application/apply-patch+yaml";

const ANSWER_MS = 300_000;

/** A client that connects at the first request, and again after the connection was lost. */
export function openClient({ port, ca, cert, key }: { port: number; ca: string; cert: string; key: string }): ApiClient {
  let session: ClientHttp2Session | undefined;
  let closed = false;
  const open = () => {
    if (closed) throw new Error("the client is closed");
    if (session && !session.closed && !session.destroyed) return session;
    session = connect(`https://127.0.0.1:${port}`, { ca, cert, key, servername: "localhost" });
    session.on("error", () => {}); // each request on it fails by itself
    return session;
  };
  const request = (method: string, path: string, body?: unknown, type = "application/json"): ClientHttp2Stream => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const stream = open().request(
      {
        ":method": method,
        ":path": path,
        accept: "application/json",
        "user-agent": "home",
        ...(payload !== undefined && { "content-type": type }),
      },
      { endStream: payload === undefined },
    );
    if (payload !== undefined) stream.end(payload);
    return stream.setEncoding("utf8");
  };
  return {
    ask: (method, path, body, type) =>
      new Promise((resolve, reject) => {
        const stream = request(method, path, body, type);
        let status = 0;
        let text = "";
        stream.setTimeout(ANSWER_MS, () => stream.destroy(new Error(`no answer to ${method} ${path} within ${ANSWER_MS / 1000} s`)));
        stream.once("response", (headers) => (status = Number(headers[":status"])));
        stream.on("data", (part: string) => (text += part));
        stream.once("error", reject);
        stream.once("close", () =>
          status === 0 ? reject(new Error(`no answer to ${method} ${path}`)) : resolve({ status, body: parsed(text) }),
        );
      }),
    watch: (path, event) =>
      new Promise((resolve, reject) => {
        const stream = request("GET", path);
        let status = 0;
        let rest = "";
        stream.once("response", (headers) => (status = Number(headers[":status"])));
        stream.on("data", (part: string) => {
          const lines = (rest + part).split("\n");
          rest = lines.pop()!;
          if (status === 200) for (const line of lines) event(JSON.parse(line) as WatchEvent);
        });
        stream.once("error", reject);
        stream.once("close", () => resolve(status));
      }),
    close() {
      closed = true;
      session?.destroy();
    },
  };
}

function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return text; // `ok` of /readyz
  }
}
