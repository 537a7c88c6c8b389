// What a config would change on a node, value by value, removals first; and whether that needs a reboot.
import { createHash } from "node:crypto";
import { type Document, titleOf } from "./merge.ts";

export interface Change {
  /** The document, and the keys in it. */
  document: string;
  path: string;
  before?: string;
  after?: string;
}

/** Every value that differs, those that go away first. Secrets appear as the beginning of their hash: that one changed is seen, what it is is not. */
export function changesBetween(held: Document[], wanted: Document[]): Change[] {
  const before = valuesOf(held);
  const after = valuesOf(wanted);
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changes = keys.filter((key) => before.get(key) !== after.get(key)).map((key): Change => {
    const [document = "", path = ""] = key.split("\u0000");
    return { document, path, ...(before.has(key) && { before: before.get(key)! }), ...(after.has(key) && { after: after.get(key)! }) };
  });
  return changes.toSorted((a, b) => rank(a) - rank(b));
}

const rank = ({ before, after }: Change) => (after === undefined ? 0 : before === undefined ? 2 : 1);

/** `- v1alpha1 machine.sysctls.x: 1`, `~ …: 1 → 2`, `+ …: 2`. */
export const lineOf = ({ document, path, before, after }: Change) =>
  `${after === undefined ? "-" : before === undefined ? "+" : "~"} ${document} ${path}: ${[before, after].filter((value) => value !== undefined).join(" → ")}`;

function valuesOf(documents: Document[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const document of documents) flatten(document, [], (path, value) => values.set(`${titleOf(document)}\u0000${path.join(".")}`, isSecret(path) ? fingerprint(value) : JSON.stringify(value)));
  return values;
}

function flatten(value: unknown, path: string[], keep: (path: string[], value: unknown) => void): void {
  const entries = Array.isArray(value) ? value.map((one, index) => [String(index), one] as const) : value !== null && typeof value === "object" ? Object.entries(value) : undefined;
  if (!entries || entries.length === 0) return keep(path, value);
  for (const [key, one] of entries) flatten(one, [...path, key], keep);
}

const SECRET = new Set(["key", "crt", "token", "secret", "secretboxEncryptionSecret", "aescbcEncryptionSecret", "password", "auth", "identityToken"]);
const isSecret = (path: string[]) => path.some((key) => SECRET.has(key));
const fingerprint = (value: unknown) => `(secret ${createHash("sha256").update(String(value)).digest("hex").slice(0, 8)})`;

/** What Talos takes into use without a reboot (its CanApplyImmediate, up to 1.13); documents of their own never need one. */
const LIVE = [
  "debug", "cluster", "machine.ca", "machine.acceptedCAs", "machine.time", "machine.certSANs", "machine.install", "machine.network", "machine.sysfs", "machine.sysctls", "machine.logging", "machine.controlplane",
  "machine.kubelet", "machine.kernel", "machine.pods", "machine.seccompProfiles", "machine.nodeAnnotations", "machine.nodeLabels", "machine.nodeTaints", "machine.features.kubernetesTalosAPIAccess",
  "machine.features.kubePrism", "machine.features.hostDNS", "machine.features.imageCache", "machine.features.nodeAddressSortAlgorithm",
];

/** The changes that take effect only after a reboot. */
export const needReboot = (changes: Change[]) => changes.filter(({ document, path }) => document === "v1alpha1" && !LIVE.some((live) => path === live || path.startsWith(`${live}.`)));
