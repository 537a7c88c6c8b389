// X.509 certificates without a dependency: Node can read and check them but not make them, so the DER is written here.
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";

export type KeyKind = "ed25519" | "p256";

export interface Issued {
  /** PEM of the certificate. */
  cert: string;
  /** PEM of its private key, PKCS#8. */
  key: string;
}

export interface Authority extends Issued {
  name: Name;
}

/** Subject: organisations and common name, as far as given. */
export interface Name {
  organizations?: string[];
  commonName?: string;
}

export interface Wanted {
  subject: Name;
  days: number;
  kind?: KeyKind;
  /** DNS names and IPv4 addresses the certificate is for. */
  hosts?: string[];
  use?: ("server" | "client")[];
  now?: Date;
}

/** A new certificate authority that signs itself. */
export function createAuthority(wanted: Wanted): Authority {
  const keys = newKey(wanted.kind);
  const cert = write(wanted, keys.public, wanted.subject, keys.private, keyId(keys.public), true);
  return { cert, key: keys.pem, name: wanted.subject };
}

/** Who signs: its name as data, or byte for byte as its certificate has it. */
export interface Signer {
  key: KeyObject;
  public: KeyObject;
  name: Name | Buffer;
  /** The id of its key, when its certificate has one of its own kind: OpenSSL refuses a certificate that names another. */
  keyId?: Buffer | undefined;
}

/** An authority that others made. Go compares names byte by byte, so its own is kept as it is written, whatever kind of string it is. */
export function signerOf(cert: string, key: string): Signer {
  const { raw, publicKey } = new X509Certificate(cert);
  // Talos labels its Ed25519 keys in a way that OpenSSL does not know
  return {
    key: createPrivateKey(key.replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY")),
    public: publicKey,
    name: subjectOf(raw),
    keyId: keyIdOf(raw),
  };
}

/** The subject key identifier of a certificate, which has 20 bytes in those that Go and Talos make. */
function keyIdOf(raw: Buffer): Buffer | undefined {
  const extension = Buffer.concat([oid("2.5.29.14"), Buffer.from([0x04])]);
  const at = raw.indexOf(extension);
  if (at < 0) return undefined;
  const value = raw.subarray(at + extension.length + 3); // after two lengths and the inner tag
  return value.subarray(0, raw[at + extension.length + 2]);
}

/** A certificate signed by an authority, with a key of its own. */
export function issue(authority: Signer, wanted: Wanted): Issued {
  const keys = newKey(wanted.kind);
  return {
    cert: write(wanted, keys.public, authority.name, authority.key, authority.keyId ?? keyId(authority.public), false),
    key: keys.pem,
  };
}

/** SHA-256 of a certificate as `AA:BB:…`, as browsers show it. */
export const fingerprint = (pem: string) => createHash("sha256").update(bytesOf(pem)).digest("hex").toUpperCase().match(/../g)!.join(":");

/** The DER inside a PEM block. */
export const bytesOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");

function newKey(kind: KeyKind = "p256") {
  const pair = kind === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { private: pair.privateKey, public: pair.publicKey, pem: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

// DER, as much of it as a certificate needs: tag, length, content.
const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const text = (value: string) => der(0x0c, Buffer.from(value));
const octets = (...parts: Buffer[]) => der(0x04, ...parts);
const bits = (content: Buffer, unused = 0) => der(0x03, Buffer.from([unused]), content);
const integer = (content: Buffer) => der(0x02, content[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), content]) : content);
const yes = der(0x01, Buffer.from([0xff]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const base128 = (n: number): number[] => {
    const bytes = [n & 127];
    for (let left = n >> 7; left > 0; left >>= 7) bytes.unshift((left & 127) | 128);
    return bytes;
  };
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

const time = (date: Date) => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, "")}Z`));

const part = (id: string, value: string) => der(0x31, sequence(oid(id), text(value)));
const nameOf = ({ organizations = [], commonName }: Name) =>
  sequence(
    ...organizations.map((organization) => part("2.5.4.10", organization)),
    ...(commonName === undefined ? [] : [part("2.5.4.3", commonName)]),
  );

const algorithmOf = (key: KeyObject) =>
  sequence(
    oid(
      key.asymmetricKeyType === "ed25519"
        ? "1.3.101.112"
        : key.asymmetricKeyType === "rsa"
          ? "1.2.840.113549.1.1.11"
          : "1.2.840.10045.4.3.2",
    ),
  );

const extension = (id: string, critical: boolean, value: Buffer) => sequence(oid(id), ...(critical ? [yes] : []), octets(value));
const keyId = (key: KeyObject) =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);

const USES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/** The subject inside a certificate: after version, serial number, algorithm, issuer and validity. */
function subjectOf(raw: Buffer): Buffer {
  const header = (at: number) => {
    const short = raw[at + 1]!;
    const bytes = short & 0x80 ? short & 0x7f : 0;
    return { content: at + 2 + bytes, length: bytes ? raw.readUIntBE(at + 2, bytes) : short };
  };
  const after = (at: number) => header(at).content + header(at).length;
  let at = header(header(0).content).content; // into the certificate, into its body
  for (let skipped = raw[at] === 0xa0 ? 0 : 1; skipped < 5; skipped += 1) at = after(at);
  return raw.subarray(at, after(at));
}

function write(
  wanted: Wanted,
  subjectKey: KeyObject,
  issuer: Name | Buffer,
  issuerKey: KeyObject,
  issuerKeyId: Buffer,
  authority: boolean,
): string {
  const now = wanted.now ?? new Date();
  const from = new Date(now.getTime() - 1000);
  const to = new Date(now.getTime() + wanted.days * 86_400_000);
  const hosts = (wanted.hosts ?? []).map((host) =>
    /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host)),
  );
  const uses = wanted.use ?? [];
  const extensions = [
    extension("2.5.29.15", true, authority ? bits(Buffer.from([0x84]), 2) : bits(Buffer.from([0x80]), 7)),
    ...(uses.length ? [extension("2.5.29.37", false, sequence(...uses.map((use) => oid(USES[use]))))] : []),
    ...(authority ? [extension("2.5.29.19", true, sequence(yes)), extension("2.5.29.14", false, octets(keyId(subjectKey)))] : []),
    ...(authority ? [] : [extension("2.5.29.35", false, sequence(der(0x80, issuerKeyId)))]),
    ...(hosts.length ? [extension("2.5.29.17", false, sequence(...hosts))] : []),
  ];
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithmOf(issuerKey),
    Buffer.isBuffer(issuer) ? issuer : nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(wanted.subject),
    subjectKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign(issuerKey.asymmetricKeyType === "ed25519" ? null : "sha256", body, issuerKey);
  return pem("CERTIFICATE", sequence(body, algorithmOf(issuerKey), bits(signature)));
}

/** DER as a PEM block of that label. */
export const pem = (label: string, content: Buffer) =>
  `-----BEGIN ${label}-----\n${content
    .toString("base64")
    .match(/.{1,64}/g)!
    .join("\n")}\n-----END ${label}-----\n`;
