// Finds where kubernetes/ disagrees with talos/cluster.yaml and versions.env. Flux reads only files below kubernetes/, so personal values are copied there.
import type { Cluster } from "../cluster/cluster.ts";
import type { Versions } from "../cluster/versions.ts";
import { settingsOf } from "./settings.ts";
import { MAP_FILE, mapDisagreements } from "./settings-map.ts";
import type { Disagreement } from "./disagreement.ts";

/** A value of a chart that the bootstrap installs before Flux can substitute settings. */
interface Place {
  file: string;
  /** Keys from the document's root to the value. */
  path: readonly (string | number)[];
  /** A number, and no text that looks like one. */
  number?: true;
  /** The field of talos/cluster.yaml, for people. */
  says: string;
  wants(cluster: Cluster): string | Promise<string>;
}

/** The text of a file, by its path from the project's root; undefined when there is no such file. */
export type Reader = (file: string) => Promise<string | undefined>;

const FLUX = "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml";

/** All such places; all others are settings. A file or field that a fork has removed is not a disagreement. */
export const PLACES: readonly Place[] = [
  {
    file: "kubernetes/apps/kube-system/cilium/app/helmrelease.yaml",
    path: ["spec", "values", "ipv4NativeRoutingCIDR"],
    says: "network.pods",
    wants: ({ network }) => network.pods,
  },
  {
    file: "kubernetes/apps/kube-system/cilium/app/helmrelease.yaml",
    path: ["spec", "values", "operator", "replicas"],
    number: true,
    says: "one for each of nodes, two at most: they never share a node",
    wants: ({ nodes }) => String(Math.min(2, nodes.length)),
  },
  {
    file: "kubernetes/apps/kube-system/coredns/app/helmrelease.yaml",
    path: ["spec", "values", "service", "clusterIP"],
    says: "the tenth address of network.services",
    wants: ({ network }) => dnsAddress(network.services),
  },
  { file: FLUX, path: ["spec", "values", "instance", "sync", "ref"], says: "git.branch", wants: ({ git }) => `refs/heads/${git.branch}` },
  { file: FLUX, path: ["spec", "values", "instance", "sync", "url"], says: "git.url", wants: ({ git }) => git.url },
];

/** The address that Talos tells every kubelet to ask for names: the tenth of the service network. */
export async function dnsAddress(services: string): Promise<string> {
  const { Address4 } = await import("ip-address");
  return Address4.fromBigInt(new Address4(services).startAddress().bigInt() + 10n).correctForm();
}

/** Every place where a file of the tree disagrees with cluster.yaml, in the order of files and lines. */
export async function disagreements(cluster: Cluster, versions: Versions, read: Reader): Promise<Disagreement[]> {
  const found = await Promise.all(PLACES.map(async (place) => disagreement(place, await place.wants(cluster), await read(place.file))));
  const map = await read(MAP_FILE);
  const settings = map === undefined ? undefined : await mapDisagreements(map, settingsOf(cluster, versions));
  return [...found.filter((one) => one !== undefined), ...(settings ?? [])].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

async function disagreement(
  { file, path, says, number }: Place,
  wants: string,
  text: string | undefined,
): Promise<Disagreement | undefined> {
  if (text === undefined) return undefined;
  const { isScalar, LineCounter, parseAllDocuments } = await import("yaml");
  const lines = new LineCounter();
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    const scalar = document.getIn(path, true);
    if (!isScalar(scalar) || !scalar.range) continue;
    const has = String(scalar.value);
    const [start, end] = scalar.range;
    if (has === wants) return undefined;
    const text = number ? wants : undefined;
    return { file, line: lines.linePos(start).line, field: fieldOf(path), has, wants, says, range: [start, end], ...(text && { text }) };
  }
  return undefined;
}

const fieldOf = (path: Place["path"]) =>
  path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");

/** The file's text with the wanted values in place and every other byte as it was. All disagreements must be of this text. */
export async function settle(text: string, found: Pick<Disagreement, "range" | "wants" | "text">[]): Promise<string> {
  const { stringify } = await import("yaml");
  // from the end, so that earlier ranges stay true; what is put in at one place comes in its order
  const backwards = found.toReversed().sort((a, b) => b.range[0] - a.range[0] || b.range[1] - a.range[1]);
  return backwards.reduce((rest, { range: [start, end], wants, text: ready }) => {
    if (ready !== undefined) return `${rest.slice(0, start)}${ready}${rest.slice(end)}`;
    const quoted = text[start] === '"' || text[start] === "'";
    const word = stringify(wants, quoted ? { defaultStringType: "QUOTE_DOUBLE", lineWidth: 0 } : { lineWidth: 0 }).trimEnd();
    return `${rest.slice(0, start)}${word}${rest.slice(end)}`;
  }, text);
}

/** A disagreement in one line, for preflight. */
export const inWords = ({ file, line, field, has, wants, says }: Disagreement) =>
  `${file}:${line} ${field} is ${has}, ${isVersion(says) ? `${says} is ${wants}` : `talos/cluster.yaml says ${wants} (${says})`}`;

/** The environment may override versions.env, so a version is not blamed on the file. */
const isVersion = (says: string) => /^[A-Z_]+$/.test(says);
