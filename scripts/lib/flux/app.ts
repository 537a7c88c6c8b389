// One application of the tree, by the name of its Kustomization: what Flux would apply, and what Flux has applied.
import { UsageError } from "../run/errors.ts";
import { isKind } from "../tree/object.ts";
import { readTree } from "../tree/read.ts";
import type { FluxKustomization, KubeObject } from "../tree/types.ts";
import { nearest } from "../text/nearest.ts";

/** Finds the Kustomization called `name` or `namespace/name`. Throws if none or several match, and names them. */
export function findApp<T extends Pick<FluxKustomization, "name" | "namespace">>(all: readonly T[], word: string): T {
  const keys = all.map(({ namespace, name }) => `${namespace}/${name}`);
  const fit = all.filter((one, at) => keys[at] === word || one.name === word);
  if (fit.length === 1) return fit[0]!;
  if (fit.length > 1)
    throw new UsageError(`several Kustomizations are called ${word}: ${fit.map((one) => `${one.namespace}/${one.name}`).join(", ")}`);
  const near = nearest(
    word,
    all.map(({ name }) => name),
  );
  throw new UsageError(`no Kustomization is called ${word}${near ? `; did you mean ${near}?` : ""}\n  ${keys.join(" ")}`);
}

/** The application as Flux builds it from the working tree; a build that would fail in the cluster fails here with what was found. */
export async function readApp(root: string, word: string): Promise<FluxKustomization> {
  const tree = readTree({ root });
  const app = findApp(tree.kustomizations, word);
  if (!app.broken) return app;
  const theirs = tree.findings.filter(
    ({ level, file }) => level === "error" && file.startsWith(String(app.spec.path).replace(/^\.\//, "")),
  );
  const { Failure } = await import("../run/errors.ts");
  throw new Failure({
    attempted: `build ${word} as Flux does`,
    said: theirs.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n") || "its build fails",
    next: "task lint:kubernetes",
  });
}

/** Its objects as kustomize-controller applies them: with the labels by which it knows its own. SOPS files stay out, since they are decrypted in the cluster. */
export function appliedObjects({ name, namespace, built }: FluxKustomization): KubeObject[] {
  const labels = { "kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": namespace };
  return built
    .filter(({ encrypted }) => !encrypted)
    .map(({ object }) => ({ ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } }));
}

/** An entry of a Kustomization's inventory: `namespace_name_group_kind`, with `__` for each colon of a name. */
export interface InventoryEntry {
  id: string;
  v: string;
}

/** The object that an entry names. */
export function objectOf({ id, v }: InventoryEntry): KubeObject {
  const parts = id.split("_");
  const [kind, group, namespace] = [parts.at(-1)!, parts.at(-2)!, parts[0]!];
  const name = parts.slice(1, -2).join("_").replaceAll("__", ":");
  return { apiVersion: group ? `${group}/${v}` : v, kind, metadata: { name, ...(namespace && { namespace }) } };
}

/** What holds data that does not come back by itself. */
const DATA: readonly [kind: string, group: string][] = [
  ["PersistentVolumeClaim", ""],
  ["CephCluster", "ceph.rook.io"],
  ["CephBlockPool", "ceph.rook.io"],
  ["CephFilesystem", "ceph.rook.io"],
  ["CephObjectStore", "ceph.rook.io"],
  ["Cluster", "postgresql.cnpg.io"],
  ["Namespace", ""],
  ["CustomResourceDefinition", "apiextensions.k8s.io"],
];

export const holdsData = (object: KubeObject) => DATA.some(([kind, group]) => isKind(object, kind, group));
