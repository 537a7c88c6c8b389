// Whom the NAS must prove to be: the holder of a pinned certificate, or of one that a given CA signed. There is no way to switch this off.
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import { Failure } from "../run/errors.ts";
import { patient } from "../run/patience.ts";

/** `pins` are SHA-256 fingerprints, `AA:BB:…`; with `ca` a chain to it and the right name will do as well. */
export interface Trust {
  pins: string[];
  ca?: string;
}

/** What a peer showed. */
export interface Shown {
  fingerprint: string;
  /** The chain led to a trusted CA and the name was right. */
  authorized: boolean;
  /** Why not, in Node's words. */
  error?: string | undefined;
}

const HINT =
  "openssl s_client -connect HOST:443 </dev/null | openssl x509 -noout -fingerprint -sha256 shows it; compare it with the certificate in TrueNAS' own interface";

/** Reads a PEM (one certificate or several) or a fingerprint, with or without colons and the words that openssl puts before it. */
export function readTrust(text: string, field: string): Trust {
  const typed = text.trim();
  if (typed.includes("-----BEGIN CERTIFICATE-----")) {
    const blocks = typed.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    try {
      return { pins: blocks.map((pem) => new X509Certificate(pem).fingerprint256), ca: blocks.join("\n") };
    } catch (error) {
      throw new Failure({
        attempted: "connect to TrueNAS",
        said: `${field} holds a PEM that cannot be read: ${(error as Error).message}`,
        next: HINT,
      });
    }
  }
  const hex = typed.replace(/^.*(=|sha-?256:?\s*)/i, "").replaceAll(/[:\s]/g, "");
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new Failure({
      attempted: "connect to TrueNAS",
      said: `${field} holds neither a SHA-256 fingerprint (AA:BB:…) nor a certificate (PEM)`,
      next: HINT,
    });
  }
  return { pins: [hex.toUpperCase().match(/../g)!.join(":")] };
}

/** Undefined when the peer is who it must be, else why it is not. */
export function whyRefused({ pins, ca }: Trust, { fingerprint, authorized, error }: Shown): string | undefined {
  if (pins.includes(fingerprint)) return undefined;
  if (ca !== undefined && authorized) return undefined;
  return ca === undefined ? "it is not the pinned one" : `it does not lead to the given CA: ${error ?? "not trusted"}`;
}

/** The NAS showed another certificate than it must; nothing was sent to it. */
export class CertificateRefused extends Failure {
  override name = "CertificateRefused";
  constructor(why: string, fingerprint: string, store: string) {
    super({
      attempted: "trust TrueNAS' certificate",
      said: `${why}\nSHA-256 fingerprint seen: ${fingerprint}`,
      now: "nothing was sent to it",
      next: `only if TrueNAS' own interface shows this fingerprint too: ${store.replace("FINGERPRINT", fingerprint)}`,
    });
  }
}

/**
 * Connects for undici. The certificate is judged here, after the handshake and before a byte is sent, so that a refusal can show what was seen;
 * that is why Node is told not to judge it first. `store` is the command that stores a fingerprint, with FINGERPRINT in its place.
 */
export async function connector(trust: Trust, store: string): Promise<buildConnector.connector> {
  const { buildConnector } = await import("undici");
  const connect = buildConnector({
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    allowH2: false,
    timeout: patient(10) * 1000,
    ...(trust.ca !== undefined && { ca: trust.ca }),
  });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (error !== null) return callback(error, null);
      const tls = socket as TLSSocket;
      const fingerprint = tls.getPeerX509Certificate()?.fingerprint256 ?? "none";
      const why = whyRefused(trust, { fingerprint, authorized: tls.authorized, error: tls.authorizationError?.toString() });
      if (why === undefined) return callback(null, socket);
      tls.destroy();
      callback(new CertificateRefused(why, fingerprint, store), null);
    });
}
