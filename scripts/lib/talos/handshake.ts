// Reads a node's certificate with its own TLS handshake, because talosctl cannot print the fingerprint. No other code opens a raw connection.
import { isIPv6, type Socket } from "node:net";
import type { Context } from "../run/context.ts";
import { proxyFor } from "../http/proxy.ts";
import { patient } from "../run/patience.ts";

const PORT = 50_000;
const SECONDS = 20;

type Setup = Pick<Context, "env" | "signal">;
export type Handshake = (address: string, setup: Setup) => Promise<string>;

let handshake: Handshake = overTls;

/** Tests replace the handshake with one that needs no network. */
export const useHandshake = (other: Handshake): void => void (handshake = other);

/**
 * The fingerprint of the certificate at this address: SHA-256 of its public key, in base64. `talosctl --cert-fingerprint` expects this form, and a node
 * in maintenance mode prints it on its console. Throws when no certificate could be read.
 */
export const fingerprintAt: Handshake = (address, setup) => handshake(address, setup);

async function overTls(address: string, { env, signal }: Setup): Promise<string> {
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(patient(SECONDS) * 1000);
  const ended = AbortSignal.any([signal, deadline]);
  try {
    return await certificateOf(await socketTo(address, env, ended), ended);
  } catch (error) {
    signal.throwIfAborted();
    throw deadline.aborted ? new Error(`it did not show a certificate within ${patient(SECONDS)} s`) : error;
  }
}

/** Does the handshake, sends nothing, and closes the connection. A node without a config has a self-signed certificate, so it is not verified. */
async function certificateOf(socket: Socket, signal: AbortSignal): Promise<string> {
  const [{ connect }, { createHash }] = await Promise.all([import("node:tls"), import("node:crypto")]);
  const tls = connect({ socket, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  const stop = () => tls.destroy(new Error("aborted"));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      tls.once("error", reject);
      tls.once("close", () => reject(new Error("it hung up before it showed a certificate")));
      tls.once("secureConnect", () => {
        const key = tls.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
        if (key === undefined) reject(new Error("it showed no certificate"));
        else resolve(createHash("sha256").update(key).digest("base64"));
      });
      if (signal.aborted) stop();
    });
  } finally {
    signal.removeEventListener("abort", stop);
    tls.on("error", () => {}); // the certificate is known; the node may report that the connection closed
    tls.destroy();
    socket.destroy();
  }
}

/** A connection to the node, by the proxy rules that talosctl follows. */
async function socketTo(address: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Socket> {
  const host = isIPv6(address) ? `[${address}]` : address;
  const proxy = proxyFor(new URL(`https://${host}:${PORT}`), env);
  if (proxy === undefined) return direct(address, signal);
  const { protocol } = new URL(proxy);
  if (!/^https?:$/.test(protocol)) throw new Error(`HTTPS_PROXY names a proxy of type ${protocol} only http: and https: are supported`);
  const [{ tunnelThrough }, { roots }] = await Promise.all([import("../http/tunnel.ts"), import("../http/http.ts")]);
  const asIs = (options: { httpSocket?: unknown }, done: (error: null, socket: never) => void) => done(null, options.httpSocket as never);
  const open = tunnelThrough(proxy, asIs as never, await roots(env.SSL_CERT_FILE));
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    open({ hostname: host, host, port: String(PORT), protocol: "https:" }, (error, socket) => {
      if (error !== null) return reject(error);
      if (signal.aborted) socket.destroy();
      else resolve(socket);
    });
  });
}

async function direct(host: string, signal: AbortSignal): Promise<Socket> {
  const { connect } = await import("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: PORT, signal });
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}
