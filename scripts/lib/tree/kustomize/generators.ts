// ConfigMaps and Secrets that kustomize makes of files, lines and literals, and the hash of their content that their name ends in.
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { Files } from "../files.ts";
import type { KubeObject } from "../types.ts";

export interface GeneratorOptions {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  disableNameSuffixHash?: boolean;
  immutable?: boolean;
}

export interface Generator {
  name?: string;
  namespace?: string;
  behavior?: "create" | "merge" | "replace";
  type?: string;
  files?: string[];
  literals?: string[];
  envs?: string[];
  env?: string;
  options?: GeneratorOptions;
}

/** What source-controller leaves out of the artifact by itself (sourceignore's defaults): kustomize in the cluster does not find it. */
const LEFT_OUT = /\.(jpg|jpeg|gif|png|wmv|flv|tar\.gz|zip)$/;

/** The object of one generator. Throws with what is wrong with it. */
export function generate(
  kind: "ConfigMap" | "Secret",
  spec: Generator,
  global: GeneratorOptions,
  files: Files,
  folder: string,
): KubeObject {
  if (!spec.name) throw new Error(`a ${kind} without a name`);
  const data = new Map<string, Buffer>();
  const put = (key: string, value: Buffer) => {
    if (!/^[-._a-zA-Z0-9]+$/.test(key)) throw new Error(`${spec.name}: "${key}" is no key of a ${kind}`);
    if (data.has(key)) throw new Error(`${spec.name}: the key ${key} stands twice`);
    data.set(key, value);
  };
  for (const env of [...(spec.envs ?? []), ...(spec.env ? [spec.env] : [])])
    for (const [key, value] of linesOf(read(files, folder, env))) put(key, Buffer.from(value));
  for (const literal of spec.literals ?? []) put(...literalOf(literal));
  for (const source of spec.files ?? []) {
    const [key, path] = fileSource(source);
    put(key, read(files, folder, path));
  }
  const options = { ...global, ...spec.options };
  const labels = { ...global.labels, ...spec.options?.labels };
  const annotations = { ...global.annotations, ...spec.options?.annotations };
  return {
    apiVersion: "v1",
    kind,
    metadata: {
      name: spec.name,
      ...(spec.namespace && { namespace: spec.namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    ...(kind === "Secret" && { type: spec.type ?? "Opaque" }),
    ...(kind === "Secret" ? secretData(data) : configMapData(data)),
    ...(options.immutable && { immutable: true }),
  };
}

function read(files: Files, folder: string, path: string): Buffer {
  if (LEFT_OUT.test(path)) throw new Error(`${path} does not reach the cluster: Flux leaves such files out of its copy of the repository`);
  const content = files.bytes(join(folder, path));
  if (!content) throw new Error(`${path} cannot be read`);
  return content;
}

function* linesOf(content: Buffer): Iterable<[string, string]> {
  for (const raw of content
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)) {
    const line = raw.trimStart();
    if (!line || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    yield at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
  }
}

function literalOf(literal: string): [string, Buffer] {
  const at = literal.indexOf("=");
  if (at < 1) throw new Error(`the literal "${literal}" is not key=value`);
  const value = literal.slice(at + 1);
  const quoted = value.length >= 2 && value[0] === value.at(-1) && (value[0] === '"' || value[0] === "'");
  return [literal.slice(0, at), Buffer.from(quoted ? value.slice(1, -1) : value)];
}

function fileSource(source: string): [key: string, path: string] {
  const parts = source.split("=");
  if (parts.length === 1) return [basename(source), source];
  if (parts.length > 2 || !parts[0] || !parts[1]) throw new Error(`"${source}" is not key=file`);
  return [parts[0], parts[1]];
}

const isText = (value: Buffer) => Buffer.from(value.toString("utf8"), "utf8").equals(value);
const sorted = (data: Map<string, Buffer>) => [...data].sort(([a], [b]) => (a < b ? -1 : 1));

function configMapData(data: Map<string, Buffer>): object {
  const texts = sorted(data).filter(([, value]) => isText(value));
  const binaries = sorted(data).filter(([, value]) => !isText(value));
  return {
    ...(texts.length > 0 && { data: Object.fromEntries(texts.map(([key, value]) => [key, value.toString("utf8")])) }),
    ...(binaries.length > 0 && { binaryData: Object.fromEntries(binaries.map(([key, value]) => [key, value.toString("base64")])) }),
  };
}

const secretData = (data: Map<string, Buffer>): object =>
  data.size === 0 ? {} : { data: Object.fromEntries(sorted(data).map(([key, value]) => [key, value.toString("base64")])) };

const LETTERS: Record<string, string> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };

/** The ten letters behind the name of a ConfigMap or Secret. */
export function contentHash({ kind, type, data, binaryData, stringData }: KubeObject): string {
  const content: Record<string, unknown> = { data: data ?? "", kind, name: "" }; // the hasher looks the name up in a way that finds none
  if (kind === "Secret") content.type = type ?? "";
  if (kind === "Secret" && stringData) content.stringData = stringData;
  if (kind === "ConfigMap" && binaryData) content.binaryData = binaryData;
  const hex = createHash("sha256").update(goJson(content)).digest("hex").slice(0, 10);
  return [...hex].map((letter) => LETTERS[letter] ?? letter).join("");
}

/** JSON as Go writes it: keys sorted, and <, >, & and two line ends escaped. */
function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value !== "object" || value === null)
    return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${goJson(key)}:${goJson(one)}`).join(",")}}`;
}
