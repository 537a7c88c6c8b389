// Builds the manifests of a folder as kustomize does, as far as the home's tree uses it. Every other key is refused: a stand-in never guesses.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { generated, type Generator, type GeneratorOptions } from "./kustomize-generate.ts";
import { Untaught } from "../tool.ts";
import { mergePatch } from "../cluster/store.ts";
import type { KubeObject } from "../cluster/state.ts";
import { whenPresent } from "../../present.ts";

export interface Patch {
  patch: string;
  target?: { group?: string; version?: string; kind?: string; name?: string; namespace?: string; labelSelector?: string };
}

interface Kustomization {
  resources?: string[];
  components?: string[];
  namespace?: string;
  patches?: Patch[];
  configMapGenerator?: Generator[];
  generatorOptions?: GeneratorOptions;
}

const KEYS = [
  "apiVersion",
  "kind",
  "metadata",
  "resources",
  "components",
  "configMapGenerator",
  "generatorOptions",
  "namespace",
  "patches",
];
const FILES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** The objects of a folder. A folder without a kustomization.yaml is gathered, as kustomize-controller does when `gathers` is set. Throws with kustomize's words. */
export function build(folder: string, { gathers = false } = {}): KubeObject[] {
  const names = whenPresent(() => readdirSync(folder));
  if (!names) throw new Error(`kustomization path not found: stat ${folder}: no such file or directory`);
  const name = FILES.find((one) => names.includes(one));
  if (!name) {
    if (gathers) return gather(folder);
    throw new Error(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`);
  }
  const file = join(folder, name);
  const kustomization = parse(readFileSync(file, "utf8")) as Kustomization;
  const unknown = Object.keys(kustomization).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0) throw new Untaught(`${unknown.join(", ")} in ${file}`);
  const objects = (kustomization.resources ?? []).flatMap((name) => read(resolve(folder, name), folder));
  for (const generator of kustomization.configMapGenerator ?? [])
    objects.push(generated(generator, kustomization.generatorOptions, folder));
  for (const name of kustomization.components ?? []) objects.push(...build(resolve(folder, name)));
  const patched = (kustomization.patches ?? []).reduce(applyPatch, objects);
  return kustomization.namespace === undefined ? patched : patched.map((object) => inNamespace(object, kustomization.namespace!));
}

function read(path: string, from: string): KubeObject[] {
  const stat = whenPresent(() => statSync(path));
  if (!stat)
    throw new Error(
      `accumulating resources: accumulation err='accumulating resources from '${relative(from, path)}': open ${path}: no such file or directory'`,
    );
  return stat.isDirectory() ? build(path) : manifests(readFileSync(path, "utf8"));
}

/** The objects of a stream of YAML documents; throws with the parser's words. */
export function manifests(text: string): KubeObject[] {
  return [...parseAllDocuments(text)].flatMap((document) => {
    if (document.errors[0])
      throw new Error(`error parsing manifests: error converting YAML to JSON: yaml: ${document.errors[0].message.split("\n")[0]}`);
    const object = document.toJS() as (KubeObject & { items?: KubeObject[] }) | null;
    return object === null || object === undefined ? [] : object.kind === "List" ? (object.items ?? []) : [object];
  });
}

/** Folders with a kustomization.yaml as they are, other folders looked into. */
function gather(folder: string): KubeObject[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return /\.ya?ml$/.test(entry.name) ? manifests(readFileSync(path, "utf8")) : [];
      return FILES.some((name) => existsSync(join(path, name))) ? build(path) : gather(path);
    });
}

/** The namespace of everything; a Namespace itself is renamed. */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const metadata = object.kind === "Namespace" ? { ...object.metadata, name: namespace } : { ...object.metadata, namespace };
  return { ...object, metadata };
}

/** One patch over those objects that it is meant for: strategic merge (of custom resources: a merge) or JSON 6902. */
export function applyPatch(objects: KubeObject[], { patch, target }: Patch): KubeObject[] {
  const parsed = parse(patch) as KubeObject | Operation[];
  const meant = (object: KubeObject) => {
    if (!target) return !Array.isArray(parsed) && parsed.kind === object.kind && parsed.metadata.name === object.metadata.name;
    const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", object.apiVersion];
    const { name, namespace } = object.metadata;
    const found: Record<string, string | undefined> = { group, version, kind: object.kind, name, namespace };
    const { labelSelector, ...words } = target;
    const unknown = Object.keys(words).filter((key) => !(key in found));
    if (unknown.length > 0) throw new Untaught(`a patch's target by ${unknown.join(", ")}`);
    if (labelSelector !== undefined && !selects(labelSelector, object.metadata.labels ?? {})) return false;
    return Object.entries(words).every(([key, pattern]) => new RegExp(`^(?:${pattern})$`).test(found[key] ?? ""));
  };
  return objects.map((object) => {
    if (!meant(object)) return object;
    if (Array.isArray(parsed)) return parsed.reduce(operate, structuredClone(object));
    const {
      metadata: { name: _, ...metadata },
      ...body
    } = parsed;
    return mergePatch(structuredClone(object), { ...body, metadata }) as KubeObject;
  });
}

/** A label selector of `key`, `!key` and `key=value`. */
const selects = (selector: string, labels: Record<string, string>) =>
  selector.split(",").every((term) => {
    const [, not, key = "", value] = /^(!?)([\w./-]+)(?:=([\w.-]*))?$/.exec(term.trim()) ?? [];
    if (key === "") throw new Untaught(`the label selector ${selector}`);
    return value === undefined ? key in labels !== (not === "!") : labels[key] === value;
  });

interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

function operate(object: KubeObject, { op, path, value }: Operation): KubeObject {
  const parts = path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = parts.pop()!;
  const parent = parts.reduce<any>((at, part) => at?.[part], object);
  const missing = parent === undefined || (op !== "add" && !(last in parent));
  if (missing) throw new Error(`${op} operation does not apply: doc is missing ${op === "add" ? "path" : "key"}: ${path}: missing value`);
  if (op === "remove" && Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (op === "remove") delete parent[last];
  else if (op === "add" && Array.isArray(parent)) parent.splice(last === "-" ? parent.length : Number(last), 0, value);
  else if (op === "add" || op === "replace") parent[last] = value;
  else throw new Untaught(`the operation ${op} of a JSON patch`);
  return object;
}
