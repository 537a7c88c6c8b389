// What a config would change on a node, value by value, removals first; and what of it needs a reboot.
import { redact } from "../redact.ts";
import { type Document, titleOf } from "./merge.ts";

/** One value that differs. `before` and `after` are as people may see them: a secret is never in them. */
export interface Change {
  /** v1alpha1, or the document's kind and name. */
  document: string;
  /** machine.files[/etc/nfsmount.conf].content */
  path: string;
  before?: string;
  after?: string;
}

/** Every value that differs: what goes away, what changes, what comes. Items of a list are told by what they are, not by where they stand. */
export function changesBetween(held: readonly Document[], wanted: readonly Document[]): Change[] {
  const [before, after] = [leavesOf(held), leavesOf(wanted)];
  const ids = [...new Set([...before.keys(), ...after.keys()])].filter((id) => before.get(id)?.value !== after.get(id)?.value);
  const moved = new Set(ids.map((id) => (before.get(id) ?? after.get(id)!).list).filter(Boolean));
  return ids
    .filter((id) => !(id.startsWith(ORDER) && moved.has(listOf(before.get(id) ?? after.get(id)!)))) // a list that has other items has another order anyway
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
  value: string;
  /** The list it is an item of. */
  list?: string;
}

const ORDER = "order\0";
const listOf = ({ document, path }: Leaf) => `${document}\0${path.replace(/ \(order\)$/, "")}`;

function leavesOf(documents: readonly Document[]): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  for (const document of documents) {
    const title = titleOf(document);
    const keep = (path: string, value: string, item?: { of: string }) =>
      leaves.set([title, path, ...(item ? [value] : [])].join("\0"), {
        document: title,
        path,
        value,
        ...(item && { list: `${title}\0${item.of}` }),
      });
    const order = (path: string, value: string) =>
      leaves.set(`${ORDER}${title}\0${path}`, { document: title, path: `${path} (order)`, value });
    flatten(document, "", keep, order);
  }
  return leaves;
}

/** What an item of a list is called by, in Talos' and Kubernetes' configs. */
const NAMES = ["name", "path", "destination", "interface", "level"];

function flatten(
  value: unknown,
  path: string,
  keep: (path: string, value: string, item?: { of: string }) => void,
  order: (path: string, value: string) => void,
): void {
  const list = Array.isArray(value) ? value : typeof value === "string" && value.includes("\n") ? value.split("\n") : undefined;
  if (list) {
    const scalars = list.every((item) => typeof item !== "object") && new Set(list).size === list.length;
    const name = NAMES.find(
      (key) => list.every((item) => item?.[key] !== undefined) && new Set(list.map((item) => item[key])).size === list.length,
    );
    if (scalars) for (const item of list) keep(path, JSON.stringify(item), { of: path });
    else for (const [index, item] of list.entries()) flatten(item, `${path}[${name ? item[name] : index}]`, keep, order);
    if (scalars) order(path, list.map((item) => JSON.stringify(item)).join(", "));
  } else if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path ? `${path}.${key}` : key, keep, order);
  } else keep(path, JSON.stringify(value));
}

const SECRET = /(^|\.)(key|crt|token|secret|password|auth|identityToken|aescbcEncryptionSecret|secretboxEncryptionSecret)(\.|$)/;
const HIDDEN = "********";

/** A secret is what stands under such a name, and every value that came out of the vault. */
function shown(before: Leaf | undefined, after: Leaf | undefined): Change {
  const { document, path } = (after ?? before)!;
  const values = [before, after].flatMap((leaf) => leaf?.value ?? []);
  const secret = SECRET.test(path) || values.some((value) => redact(value) !== value);
  const face = (value: string, other: string) => (secret ? other : value);
  return {
    document,
    path,
    ...(before && { before: face(before.value, HIDDEN) }),
    ...(after && { after: face(after.value, before ? `another ${HIDDEN}` : HIDDEN) }),
  };
}

/** What Talos takes into use without a reboot (its CanApplyImmediate, 1.11 to 1.13). Documents of their own never need one. */
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

/** What a cluster was built with: another value beside the old one leaves nodes, certificates, pods and kubernetes/ in disagreement. */
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
