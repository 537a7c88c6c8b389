// The values that a config would change on a node, removals first, and whether they need a reboot.
import { HIDDEN, holdsSecret } from "../run/redact.ts";
import { maskFree, maskSecrets } from "./mask.ts";
import { type Document, titleOf } from "./merge.ts";
import { type Keys, secrecyAt } from "./secret-paths.ts";

/** One value that differs. `before` and `after` never contain a secret. */
export interface Change {
  /** v1alpha1, or the document's kind and name. */
  document: string;
  /** machine.files[/etc/nfsmount.conf].content */
  path: string;
  before?: string;
  after?: string;
}

/** Every value that differs: removed, changed, added. Items of a list are identified by their content, not by their position. */
export function changesBetween(held: readonly Document[], wanted: readonly Document[]): Change[] {
  const [before, after] = [leavesOf(held), leavesOf(wanted)];
  const ids = [...new Set([...before.keys(), ...after.keys()])].filter((id) => before.get(id)?.value !== after.get(id)?.value);
  const moved = new Set(ids.map((id) => (before.get(id) ?? after.get(id)!).list).filter(Boolean));
  return ids
    .filter((id) => !(id.startsWith(ORDER) && moved.has(listOf(before.get(id) ?? after.get(id)!)))) // the order is irrelevant if the items differ
    .map((id) => shown(before.get(id), after.get(id)))
    .toSorted((a, b) => rank(a) - rank(b));
}

const rank = ({ before, after }: Change) => (after === undefined ? 0 : before === undefined ? 2 : 1);

/** `- v1alpha1 machine.sysctls.x: "1"`, `~ …: "1" → "2"`, `+ …: "2"`. */
export const lineOf = ({ document, path, before, after }: Change) =>
  `${after === undefined ? "-" : before === undefined ? "+" : "~"} ${document} ${path}: ${[before, after].filter((value) => value !== undefined).join(" → ")}`;

interface Leaf {
  document: string;
  path: string;
  /** What is compared. */
  value: string;
  /** The value as it may be shown. */
  face: string;
  /** The list it is an item of. */
  list?: string;
}

const ORDER = "order\0";
const listOf = ({ document, path }: Leaf) => `${document}\0${path.replace(/ \(order\)$/, "")}`;

function leavesOf(documents: readonly Document[]): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  for (const document of documents) {
    const title = titleOf(document);
    const keep = ({ path, keys }: Place, value: unknown, item?: { of: string }) =>
      leaves.set([title, path, ...(item ? [JSON.stringify(value)] : [])].join("\0"), {
        document: title,
        path,
        value: JSON.stringify(value),
        face: faceOf(document, keys, value),
        ...(item && { list: `${title}\0${item.of}` }),
      });
    const order = ({ path, keys }: Place, items: unknown[]) =>
      leaves.set(`${ORDER}${title}\0${path}`, {
        document: title,
        path: `${path} (order)`,
        value: items.map((item) => JSON.stringify(item)).join(", "),
        face: items.map((item) => faceOf(document, keys, item)).join(", "),
      });
    const staysWhole = (keys: Keys, text: string) => secrecyAt(document, keys) !== undefined || maskSecrets(text) === HIDDEN;
    flatten(document, { path: "", keys: [] }, { keep, order, staysWhole });
  }
  return leaves;
}

/** The value at these keys as it may be shown. Only true and false are always shown. */
function faceOf(document: Document, keys: Keys, value: unknown): string {
  const secrecy = secrecyAt(document, keys);
  if (typeof value === "boolean" || /^(?:true|false)$/.test(String(value)) || secrecy === undefined)
    return typeof value === "string" ? quote(maskSecrets(value)) : JSON.stringify(value);
  return secrecy === "free" ? maskFree(value) : HIDDEN;
}

const quote = (text: string) => (text === HIDDEN ? HIDDEN : JSON.stringify(text));

/** Where a value stands: as people read it, and as keys from the root, with `[]` for an item of a list. */
interface Place {
  path: string;
  keys: Keys;
}

interface Visitor {
  keep(place: Place, value: unknown, item?: { of: string }): void;
  order(place: Place, items: unknown[]): void;
  /** Whether a text of several lines is compared as a whole, because it is hidden. */
  staysWhole(keys: Keys, text: string): boolean;
}

/** The keys that identify an item of a list in Talos' and Kubernetes' configs. */
const NAMES = ["name", "path", "destination", "interface", "level"];

function flatten(value: unknown, place: Place, visitor: Visitor): void {
  const { path, keys } = place;
  const lines = typeof value === "string" && value.includes("\n") && !visitor.staysWhole(keys, value) ? value.split("\n") : undefined;
  const list: any[] | undefined = Array.isArray(value) ? value : lines;
  if (list) {
    const inner = lines ? keys : [...keys, "[]"];
    const scalars = list.every((item) => typeof item !== "object") && new Set(list).size === list.length;
    const name = NAMES.find(
      (key) => list.every((item) => item?.[key] !== undefined) && new Set(list.map((item) => item[key])).size === list.length,
    );
    if (scalars) for (const item of list) visitor.keep({ path, keys: inner }, item, { of: path });
    else for (const [index, item] of list.entries()) flatten(item, { path: `${path}[${name ? item[name] : index}]`, keys: inner }, visitor);
    if (scalars) visitor.order({ path, keys: inner }, list);
  } else if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value))
      flatten(inner, { path: path ? `${path}.${key}` : key, keys: [...keys, key] }, visitor);
  } else visitor.keep(place, value);
}

/** Both sides are hidden if one of them is from the vault. Values that differ only in hidden parts say so. */
function shown(before: Leaf | undefined, after: Leaf | undefined): Change {
  const { document, path } = (after ?? before)!;
  const fromVault = [before, after].some((leaf) => leaf && holdsSecret(leaf.value));
  const face = (leaf: Leaf) => (fromVault ? HIDDEN : leaf.face);
  const same = before && after && face(before) === face(after);
  return {
    document,
    path,
    ...(before && { before: face(before) }),
    ...(after && { after: same ? `another ${face(after)}` : face(after) }),
  };
}

/** What Talos applies without a reboot (its CanApplyImmediate, 1.11 to 1.13). Separate documents never need one. */
const LIVE = [
  "debug",
  "cluster",
  ...["ca", "acceptedCAs", "time", "certSANs", "install", "network", "sysfs", "sysctls", "logging", "controlPlane", "kubelet"].map(
    (name) => `machine.${name}`,
  ),
  ...["kernel", "registries", "pods", "seccompProfiles", "nodeAnnotations", "nodeLabels", "nodeTaints"].map((name) => `machine.${name}`),
  ...["kubernetesTalosAPIAccess", "kubePrism", "hostDNS", "imageCache", "nodeAddressSortAlgorithm"].map(
    (name) => `machine.features.${name}`,
  ),
];

/** The changes that take effect only after a reboot. */
export const needReboot = (changes: readonly Change[]) =>
  changes.filter(
    ({ document, path }) =>
      document === "v1alpha1" &&
      !LIVE.some((live) => path === live || path.startsWith(`${live}.`) || path.startsWith(`${live}[`) || path.startsWith(`${live} `)),
  );

/** Values that a cluster was built with. Changing one leaves nodes, certificates, pods and kubernetes/ in disagreement. */
const FOUNDATIONS = [
  "cluster.id",
  "cluster.secret",
  "cluster.clusterName",
  "cluster.controlPlane.endpoint",
  "cluster.network.podSubnets",
  "cluster.network.serviceSubnets",
  "cluster.network.dnsDomain",
  "cluster.ca",
  "cluster.etcd.ca",
  "cluster.serviceAccount",
  "cluster.secretboxEncryptionSecret",
  "machine.ca",
];

/** The foundations among the changes, each once. */
export const foundations = (changes: readonly Change[]): string[] =>
  FOUNDATIONS.filter((path) =>
    changes.some((change) => change.document === "v1alpha1" && (change.path === path || change.path.startsWith(`${path}.`))),
  );
