// Checks the certificate of the NAS: it must be pinned, or signed by a given CA. There is no way to turn this off.
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import { Failure } from "../run/errors.ts";
import { patient } from "../run/patience.ts";

/** `pins` are SHA-256 fingerprints, `AA:BB:…`. With `ca`, a certificate of that CA with the right name is accepted too. */
export interface Trust {
  pins: string[];
  ca?: string;
}

/** The certificate that the peer presented. */
export interface Shown {
  fingerprint: string;
  /** The chain leads to a trusted CA and the name matches. */
  authorized: boolean;
  /** Why not, in Node's words. */
  error?: string | undefined;
}

const HINT =
  "openssl s_client -connect HOST:443 </dev/null | openssl x509 -noout -fingerprint -sha256 prints it; compare it with the certificate in the TrueNAS web interface";

/** Reads one or more PEM certificates, or a fingerprint with or without colons and openssl's prefix. */
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

/** Why the certificate is refused; undefined when it is accepted. */
export function whyRefused({ pins, ca }: Trust, { fingerprint, authorized, error }: Shown): string | undefined {
  if (pins.includes(fingerprint)) return undefined;
  if (ca !== undefined && authorized) return undefined;
  return ca === undefined ? "it is not the pinned certificate" : `it was not issued by the given CA: ${error ?? "not trusted"}`;
}

/** The NAS presented a certificate that is not trusted; nothing was sent. */
export class CertificateRefused extends Failure {
  override name = "CertificateRefused";
  constructor(why: string, fingerprint: string, store: string) {
    super({
      attempted: "trust TrueNAS' certificate",
      said: `${why}\nSHA-256 fingerprint seen: ${fingerprint}`,
      now: "nothing was sent to the NAS",
      next: `only if the TrueNAS web interface shows the same fingerprint: ${store.replace("FINGERPRINT", fingerprint)}`,
    });
  }
}

/**
 * Connects for undici. The certificate is checked here, after the handshake and before any byte is sent, so that a refusal can show the fingerprint;
 * therefore Node's own check is off. `store` is the command that stores a fingerprint, with FINGERPRINT in its place.
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
