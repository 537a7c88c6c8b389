// The only way out of the home: a proxy that answers for the hosts it was given, with certificates of a CA that is thrown away, and refuses and writes down every other.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { World } from "../world/world.ts";
import { type Authority, issue } from "../world/certificates.ts";
import type { Host } from "./factory/factory.ts";

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

/** Public hosts that are asked only whether they are there. */
const THERE = ["github.com", "api.github.com", "raw.githubusercontent.com", "codeload.github.com", "my.1password.com", "1password.com"];

const there: Host = (_request, response) => void response.writeHead(200, { "content-length": 0 }).end();

/** The Internet as far as the home needs it and nobody else in it answers for. */
export const publicHosts = (more: string[] = []): Record<string, Host> =>
  Object.fromEntries([...THERE, ...more].map((host) => [host, there]));

type Inside = number | ((socket: Socket) => void) | "away" | undefined;

interface Setup {
  authority: Authority;
  hosts: Record<string, Host>;
  down(host: string): boolean;
  /** What is behind an address of the home: a local port, or what answers there; `away` when nothing does now, undefined when the home has no such address. */
  tunnel?(host: string, port: number): Inside | Promise<Inside>;
}

/** Serves a forward proxy on loopback. A host that nobody simulates is answered 502 and kept in `<folder>/unexpected.ndjson`. */
export async function serveProxy(world: World, { authority, hosts, down, tunnel = () => undefined }: Setup): Promise<Proxy> {
  const open = new Set<Socket>();
  const key = createPrivateKey(authority.key);
  const contexts = new Map<string, SecureContext>();
  const contextFor = (host: string) => {
    let context = contexts.get(host);
    if (!context) {
      const made = issue(
        { key, public: createPublicKey(key), name: authority.name },
        { subject: { commonName: host }, days: 30, hosts: [host], use: ["server"] },
      );
      contexts.set(host, (context = createSecureContext({ key: made.key, cert: made.cert })));
    }
    return context;
  };
  const origin = createTlsServer({ SNICallback: (host, done) => done(null, contextFor(host)) }, (request, response) => {
    const host = hosts[(request.headers.host ?? "").replace(/:443$/, "")];
    if (!host) return void response.writeHead(421).end();
    void Promise.resolve(host(request, response)).catch((error: unknown) => {
      unexpected(world, `${request.method} https://${request.headers.host}${request.url} broke the simulator: ${String(error)}`);
      response.destroy();
    });
  });
  const proxy = createServer((request, response) => {
    unexpected(world, `${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  const connectTo = async (url: string, socket: Socket) => {
    const [host = "", port] = url.split(":");
    const inside = await tunnel(host, Number(port));
    if (inside === "away") return void socket.destroy();
    if (typeof inside === "number") return carry(socket, inside, open);
    if (inside !== undefined) {
      socket.write(ESTABLISHED);
      return inside(socket);
    }
    if (!hosts[host] || port !== "443") {
      unexpected(world, `CONNECT ${url}`);
      return void socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    }
    if (down(host)) return void socket.destroy();
    socket.write(ESTABLISHED);
    origin.emit("connection", socket);
  };
  proxy.on("connect", ({ url = "" }, socket: Socket) => {
    socket.on("error", () => socket.destroy());
    connectTo(url, socket).catch((error: unknown) => {
      unexpected(world, `CONNECT ${url} broke the simulator: ${String(error)}`);
      socket.destroy();
    });
  });
  proxy.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";

/** Both ends as they are, so that the tools see the node's own certificate. */
function carry(socket: Socket, port: number, open: Set<Socket>): void {
  const inside = connect(port, "127.0.0.1", () => {
    socket.write(ESTABLISHED);
    socket.pipe(inside).pipe(socket);
  });
  open.add(inside);
  inside.on("error", () => socket.destroy());
  // not destroyed: what the node went away with, as an alert that it wants a certificate, has yet to be read
  inside.on("close", () => (open.delete(inside), socket.end()));
  socket.on("close", () => inside.destroy());
}

const unexpected = (world: World, what: string) =>
  appendFileSync(join(world.folder, "unexpected.ndjson"), `${JSON.stringify({ at: world.now(), what })}\n`, { mode: 0o600 });
