// The handshake that reads a node's certificate: through a proxy or directly, as talosctl connects, and what it says when there is no certificate to read.
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createHash, X509Certificate } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fingerprintAt } from "../../scripts/lib/talos/handshake.ts";
import { createAuthority } from "../simulators/world/certificates.ts";

const pair = createAuthority({ subject: { commonName: "maintenance-service.talos.dev" }, days: 1, kind: "ed25519", use: ["server"] });
const FINGERPRINT = createHash("sha256")
  .update(new X509Certificate(pair.cert).publicKey.export({ type: "spki", format: "der" }))
  .digest("base64");
/** An address of this machine's own, so that no other run has its port 50000. */
const HERE = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.53`;
const NODE = "192.168.122.10";

const listen = (server: Server | TcpServer, port = 0, host = "127.0.0.1") =>
  new Promise<number>((resolve) => void server.listen(port, host, () => resolve((server.address() as AddressInfo).port)));
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

let node: TcpServer;
let nodePort: number;
beforeAll(async () => {
  node = createTlsServer({ key: pair.key, cert: pair.cert, ALPNProtocols: ["h2"] }, (socket) => socket.on("error", () => {}));
  nodePort = await listen(node);
});
afterAll(() => void node.close());

/** A forward proxy that leads to the node, or answers with another status; keeps what it was asked for. */
async function proxy(status = 200): Promise<{ url: string; asked: { target: string | undefined; login: string | undefined }[] }> {
  const asked: { target: string | undefined; login: string | undefined }[] = [];
  const server = createServer();
  server.on("connect", (request, socket) => {
    asked.push({ target: request.url, login: request.headers["proxy-authorization"] });
    socket.on("error", () => {});
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} no\r\n\r\n`);
    const inside = connect(nodePort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      inside.pipe(socket).pipe(inside);
    });
    inside.on("error", () => socket.destroy());
  });
  closing.push(() => (server.closeAllConnections(), server.close()));
  return { url: `http://operator:an%20example@127.0.0.1:${await listen(server)}`, asked };
}

const read = (address: string, env: Record<string, string> = {}, signal = new AbortController().signal) =>
  fingerprintAt(address, { env, signal });

describe("through a proxy", () => {
  test("the node's own certificate is read", async () => {
    const { url, asked } = await proxy();
    expect(await read(NODE, { HTTPS_PROXY: url, NO_PROXY: "127.0.0.1,localhost" })).toBe(FINGERPRINT);
    expect(asked).toEqual([{ target: `${NODE}:50000`, login: `Basic ${Buffer.from("operator:an example").toString("base64")}` }]);
  });
  test("an IPv6 address is written in brackets", async () => {
    const { url, asked } = await proxy();
    expect(await read("fd00::10", { HTTPS_PROXY: url })).toBe(FINGERPRINT);
    expect(asked[0]!.target).toBe("[fd00::10]:50000");
  });
  test("a proxy that refuses is named", async () => {
    const { url } = await proxy(407);
    await expect(read(NODE, { HTTPS_PROXY: url })).rejects.toThrow(`the proxy refused CONNECT ${NODE}:50000 with status 407`);
  });
  test("a SOCKS proxy is refused by its type, without its password", async () => {
    const socks = read(NODE, { HTTPS_PROXY: "socks5://operator:hunter2@127.0.0.1:1080" });
    await expect(socks).rejects.toThrow("HTTPS_PROXY names a proxy of type socks5:");
    await expect(socks).rejects.not.toThrow("hunter2");
  });
});

describe("directly", () => {
  const at50000 = async (server: TcpServer) => {
    await listen(server, 50_000, HERE);
    closing.push(() => server.close());
  };
  test("an address that NO_PROXY names is asked without the proxy", async () => {
    await at50000(createTlsServer({ key: pair.key, cert: pair.cert }, (socket) => socket.on("error", () => {})));
    const { url, asked } = await proxy();
    expect(await read(HERE, { HTTPS_PROXY: url, NO_PROXY: "127.0.0.0/8" })).toBe(FINGERPRINT);
    expect(asked).toEqual([]);
  });
  test("a node that is off refuses the connection", () => expect(read(HERE)).rejects.toThrow(/ECONNREFUSED/));
  test("a server that hangs up has no certificate", async () => {
    await at50000(createTcpServer((socket) => socket.destroy()));
    await expect(read(HERE)).rejects.toThrow(/ECONNRESET|disconnected|hung up/);
  });
  test("a server that speaks no TLS has no certificate", async () => {
    await at50000(createTcpServer((socket) => void socket.end("SSH-2.0-OpenSSH_9.9\r\n")));
    await expect(read(HERE)).rejects.toThrow();
  });
  test("Ctrl-C ends a handshake that nobody answers", async () => {
    const silent = createTcpServer((socket) => void closing.push(() => socket.destroy()));
    await at50000(silent);
    const stop = new AbortController();
    silent.once("connection", () => stop.abort(new Error("interrupted by SIGINT")));
    await expect(read(HERE, {}, stop.signal)).rejects.toThrow("interrupted by SIGINT");
  });
  test("a run that was interrupted before connects to nobody", () =>
    expect(read(HERE, {}, AbortSignal.abort(new Error("interrupted by SIGINT")))).rejects.toThrow("interrupted by SIGINT"));
});
