// What is personal stands in talos/cluster.yaml and again, literally, in a few places under kubernetes/: Flux reads files, not our configuration. This finds where the two disagree.
import type { Cluster } from "../cluster/cluster.ts";

/** A place under kubernetes/ that repeats a value of talos/cluster.yaml. */
interface Place {
  file: string;
  /** Keys from the document's root to the value. */
  path: readonly (string | number)[];
  /** It is the one key of the map at `path` that repeats the value, not what stands under it. */
  key?: true;
  /** The field of talos/cluster.yaml, for people. */
  says: string;
  wants(cluster: Cluster): string | Promise<string>;
}

export interface Disagreement {
  /** From the project's root. */
  file: string;
  /** Counted from 1. */
  line: number;
  /** The value's path in that file: spec.blocks[0].start */
  field: string;
  /** What stands there. */
  has: string;
  /** What talos/cluster.yaml says. */
  wants: string;
  /** Where it says so: network.gateways.from */
  says: string;
  /** The scalar's place in the file's text, quotes included. */
  range: [start: number, end: number];
}

/** The text of a file, by its path from the project's root; undefined when there is no such file. */
export type Reader = (file: string) => Promise<string | undefined>;

const CILIUM = "kubernetes/apps/kube-system/cilium";
const FLUX = "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml";

/** Every such place. A file or field that a fork has taken out contradicts nothing. */
export const PLACES: readonly Place[] = [
  {
    file: `${CILIUM}/app/helmrelease.yaml`,
    path: ["spec", "values", "ipv4NativeRoutingCIDR"],
    says: "network.pods",
    wants: ({ network }) => network.pods,
  },
  {
    file: `${CILIUM}/config/ciliumloadbalancerippool.yaml`,
    path: ["spec", "blocks", 0, "start"],
    says: "network.gateways.from",
    wants: ({ network }) => network.gateways.from,
  },
  {
    file: `${CILIUM}/config/ciliumloadbalancerippool.yaml`,
    path: ["spec", "blocks", 0, "stop"],
    says: "network.gateways.to",
    wants: ({ network }) => network.gateways.to,
  },
  {
    file: "kubernetes/apps/kube-system/coredns/app/helmrelease.yaml",
    path: ["spec", "values", "service", "clusterIP"],
    says: "the tenth address of network.services",
    wants: ({ network }) => dnsAddress(network.services),
  },
  { file: FLUX, path: ["spec", "values", "instance", "sync", "ref"], says: "git.branch", wants: ({ git }) => `refs/heads/${git.branch}` },
  { file: FLUX, path: ["spec", "values", "instance", "sync", "url"], says: "git.url", wants: ({ git }) => git.url },
  {
    file: "kubernetes/apps/external-secrets/external-secrets/stores/clustersecretstore.yaml",
    path: ["spec", "provider", "onepassword", "vaults"],
    key: true,
    says: "onepassword.vault",
    wants: ({ onepassword }) => onepassword.vault,
  },
];

/** The address that Talos tells every kubelet to ask for names: the tenth of the service network. */
export async function dnsAddress(services: string): Promise<string> {
  const { Address4 } = await import("ip-address");
  return Address4.fromBigInt(new Address4(services).startAddress().bigInt() + 10n).correctForm();
}

/** Every place where a file of the tree says something else than the cluster, in the order of files and lines. */
export async function disagreements(cluster: Cluster, read: Reader): Promise<Disagreement[]> {
  const found = await Promise.all(PLACES.map(async (place) => disagreement(place, await place.wants(cluster), await read(place.file))));
  return found.filter((one) => one !== undefined).sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

async function disagreement({ file, path, key, says }: Place, wants: string, text: string | undefined): Promise<Disagreement | undefined> {
  if (text === undefined) return undefined;
  const { isMap, isScalar, LineCounter, parseAllDocuments } = await import("yaml");
  const lines = new LineCounter();
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    const found = document.getIn(path, true);
    const scalar = key ? isMap(found) && found.items[0]?.key : found;
    if (!isScalar(scalar) || !scalar.range) continue;
    const has = String(scalar.value);
    const [start, end] = scalar.range;
    return has === wants
      ? undefined
      : { file, line: lines.linePos(start).line, field: fieldOf(path), has, wants, says, range: [start, end] };
  }
  return undefined;
}

const fieldOf = (path: Place["path"]) =>
  path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");

/** The file's text with the wanted values in place and every other byte as it was. All disagreements must be of this text. */
export async function settle(text: string, found: Pick<Disagreement, "range" | "wants">[]): Promise<string> {
  const { stringify } = await import("yaml");
  const backwards = [...found].sort((a, b) => b.range[0] - a.range[0]); // from the end, so that earlier ranges stay true
  return backwards.reduce((rest, { range: [start, end], wants }) => {
    const quoted = text[start] === '"' || text[start] === "'";
    const word = stringify(wants, quoted ? { defaultStringType: "QUOTE_DOUBLE", lineWidth: 0 } : { lineWidth: 0 }).trimEnd();
    return `${rest.slice(0, start)}${word}${rest.slice(end)}`;
  }, text);
}

/** A disagreement in one line, for preflight and for plans. */
export const inWords = ({ file, line, field, has, wants, says }: Disagreement) =>
  `${file}:${line} ${field} is ${has}, talos/cluster.yaml says ${wants} (${says})`;
