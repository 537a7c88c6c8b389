// kubernetes/ as the tests see it: every YAML file and every document in it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parse, parseAllDocuments, stringify } from "yaml";
import { isDataFile } from "../../../scripts/lib/tree/data-files.ts";
import { MAP_FILE, settingsIn } from "../../../scripts/lib/tree/settings-map.ts";

export const ROOT = join(import.meta.dirname, "../../..");

// oxlint-disable-next-line typescript/no-explicit-any -- manifests have the shapes of their schemas, not of our types
export type Any = any;

export interface Manifest {
  /** From the project's root. */
  file: string;
  apiVersion: string;
  kind: string;
  name: string;
  object: Any;
  /** The same object with the order and the styles of the text. */
  document: Document;
}

/** ${NAME} and ${NAME:=default}, as Flux writes settings into what it applies. */
const VARIABLE = /\$\{([A-Z_0-9]+)(?::=([^}]*))?\}/g;

export const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
export const exists = (file: string) => existsSync(join(ROOT, file));

/** The YAML files under a folder, from the project's root, sorted. */
export const filesUnder = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();

/** The documents of a text; a duplicate key or any other fault of syntax fails by name. */
export function documentsOf(file: string, text = read(file)): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`);
    const object = document.toJS() as Any;
    return { file, apiVersion: object.apiVersion, kind: object.kind, name: object.metadata?.name ?? "", object, document };
  });
}

/** kubernetes/apps/<namespace>/<app>/<path>/file.yaml */
export const namespaceOf = (file: string) => file.split("/")[2] ?? "";
export const appOf = (file: string) => file.split("/")[3] ?? "";
export const folderOf = (file: string) => file.slice(0, file.lastIndexOf("/"));

/** The settings of kubernetes/flux/cluster/ks.yaml. */
export const SETTINGS = (await settingsIn(read(MAP_FILE))) ?? {};

/** The names that an application's own Kustomization gives to components. */
const OWN: Record<string, string> = { APP: "app" };

/** An object as Flux applies it: what is text before may be a number after it. A name that nobody gives throws, as it does in the cluster. */
export function substituted(object: Any): Any {
  const text = stringify(object, { lineWidth: 0 });
  const said = text.replaceAll(VARIABLE, (whole, name: string, standby?: string) => {
    const value = SETTINGS[name] ?? standby ?? OWN[name];
    if (value === undefined) throw new Error(`${whole} is no setting`);
    return value;
  });
  return parse(said);
}

/** What Flux reads as manifests; payloads stand below `resources/`. */
/** Manifests: not what a generator packs, and not what only our procedures read. */
export const FILES = filesUnder("kubernetes").filter((file) => !file.includes("/resources/") && !isDataFile(file));
export const TREE = FILES.flatMap((file) => documentsOf(file));

export const ofKind = (kind: string, group: string) => TREE.filter((one) => one.kind === kind && one.apiVersion.startsWith(`${group}/`));

/** The Kustomizations of Flux, with the namespace that their parent gives them. */
export const KUSTOMIZATIONS = ofKind("Kustomization", "kustomize.toolkit.fluxcd.io").map((one) => ({
  ...one,
  namespace: one.object.metadata.namespace ?? namespaceOf(one.file),
  spec: one.object.spec,
}));

/** The seven releases that the bootstrap installs, as the helmfile names them. */
export interface Release {
  name: string;
  namespace: string;
  chart?: string;
  version?: string;
  needs?: string[];
  inherit?: { template: string }[];
}
export const releasesOf = (file: string) => documentsOf(file)[0]!.object.releases as Release[];
