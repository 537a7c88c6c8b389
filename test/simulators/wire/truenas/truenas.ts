// The simulated TrueNAS at its wire: TLS, WebSockets under /api, /_upload, and nothing that is not loopback.
import { createServer, type Server as HttpsServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import { era } from "../../world/nas/nas.ts";
import type { World } from "../../world/world.ts";
import { serveConnection } from "./connection.ts";
import { finishStops } from "./power.ts";
import { type Knobs, openServer, type Server, type Version } from "./server.ts";
import { serveUpload } from "./upload.ts";

export interface TrueNasOptions extends Knobs {
  /** PEM of its private key and certificate. */
  key: string;
  cert: string;
  /** 25.04.2, 25.10.5 or 26.0.0; a world of another one is upgraded to it. */
  version: string;
  /** 0: any that is free. */
  port?: number;
}

export interface TrueNas {
  port: number;
  /** Logins are dropped without a word, as after 30 days; sockets stay. */
  dropLogins(): void;
  /** The middleware restarts: sockets close, jobs and tokens are forgotten, job numbers begin again. */
  restart(): void;
  /** Ends everything; nothing of it keeps the process alive. */
  close(): Promise<void>;
}

const MAX_FRAME = 4 * 1024 * 1024;

/** Serves the NAS of a world on 127.0.0.1. */
export async function serveTrueNas(world: World, { key, cert, version, port = 0, ...knobs }: TrueNasOptions): Promise<TrueNas> {
  if (world.state.nas.version !== version)
    world.change("world", `the NAS is now TrueNAS ${version}`, ({ nas }) => void (nas.version = version));
  const server = await openServer(world, knobs);
  finishStops(server);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME, perMessageDeflate: true });
  const https = createServer({ key, cert, ALPNProtocols: ["http/1.1"] }, (request, response) => route(server, request, response));
  https.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const found = versionAt(server, request.url ?? "");
    socket.on("error", () => socket.destroy());
    if (!found) return void socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (ws) => serveConnection(server, found, ws));
  });
  const open = new Set<Socket>();
  https.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  https.on("clientError", (_error, socket) => socket.destroy()); // a client that was killed
  await listen(https, port);
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    port: (https.address() as AddressInfo).port,
    dropLogins() {
      for (const client of server.clients) client.account = undefined;
    },
    restart() {
      server.jobs.forget();
      server.tokens.clear();
      cut();
    },
    async close() {
      server.stop.abort();
      cut();
      sockets.close();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => https.close(resolve));
    },
  };
}

const listen = (https: HttpsServer, port: number) =>
  new Promise<void>((resolve, reject) => {
    https.once("error", reject);
    https.listen(port, "127.0.0.1", resolve);
  });

function versionAt({ versions, current }: Server, url: string): Version | undefined {
  const [, name = ""] = /^\/api\/([\w.]+)\/?(?:\?.*)?$/.exec(url) ?? [];
  return name === "current" ? current : versions.get(name);
}

function route(server: Server, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "/").split("?")[0]!;
  if (path === "/api/versions") return json(response, [...server.versions.keys()]);
  if (path === "/api/boot_id" && era(server.nas()) !== 2504) return json(response, server.bootId);
  if (path === "/_upload" && request.method === "POST")
    return void serveUpload(server, request, response).catch((error: unknown) => {
      process.stderr.write(`the simulated NAS broke: ${error instanceof Error ? error.stack : String(error)}\n`);
      response.destroy();
    });
  if (versionAt(server, path)) return plain(response, 400, 'Can "Upgrade" only to "WebSocket".');
  return plain(response, 404, "404: Not Found");
}

function json(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
