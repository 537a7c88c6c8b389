// flux get: what there is of a kind, its revision, whether it is suspended, ready, and why not.
import { entriesOf } from "../../world/cluster/store.ts";
import type { World } from "../../world/world.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

/** What `flux get` calls the kinds, and in which order `get all` shows them. */
export const GETS: Record<string, { resource: string; kind: string }> = {
  "sources git": { resource: "gitrepositories.source.toolkit.fluxcd.io", kind: "GitRepository" },
  "sources oci": { resource: "ocirepositories.source.toolkit.fluxcd.io", kind: "OCIRepository" },
  helmreleases: { resource: "helmreleases.helm.toolkit.fluxcd.io", kind: "HelmRelease" },
  kustomizations: { resource: "kustomizations.kustomize.toolkit.fluxcd.io", kind: "Kustomization" },
};

export interface Wanted {
  /** All namespaces when none is given. */
  namespace: string | undefined;
  /** `ready=false`. */
  onlyNotReady: boolean;
  /** `kustomization/cilium`, as in `get all`. */
  withKind: boolean;
}

/** The table of a kind, undefined when there is nothing of it. */
export function tableOf(world: World, name: string, { namespace, onlyNotReady, withKind }: Wanted): string | undefined {
  const { resource } = GETS[name]!;
  const objects = entriesOf(world.state.cluster, resource)
    .map(({ object }) => object)
    .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
    .filter((object) => !onlyNotReady || readyOf(object)?.status === "False")
    .sort((a, b) => (`${a.metadata.namespace}/${a.metadata.name}` < `${b.metadata.namespace}/${b.metadata.name}` ? -1 : 1));
  if (objects.length === 0) return undefined;
  const rows = objects.map((object) => [
    ...(namespace === undefined ? [object.metadata.namespace!] : []),
    withKind ? `${object.kind.toLowerCase()}/${object.metadata.name}` : object.metadata.name,
    short(revisionOf(object)),
    object.spec.suspend === true ? "True" : "False",
    readyOf(object)?.status ?? "False",
    short(readyOf(object)?.message ?? "waiting to be reconciled"),
  ]);
  return tabbed([[...(namespace === undefined ? ["NAMESPACE"] : []), "NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"], ...rows]);
}

export const readyOf = ({ status }: KubeObject): { status: string; message: string } | undefined =>
  status?.conditions?.find(({ type }: { type: string }) => type === "Ready");

function revisionOf({ kind, status }: KubeObject): string {
  if (kind === "Kustomization") return status?.lastAppliedRevision ?? "";
  return kind === "HelmRelease" ? (status?.history?.[0]?.chartVersion ?? "") : (status?.artifact?.revision ?? "");
}

/** Digests in eight digits. */
const short = (text: string) => text.replaceAll(/\b[0-9a-f]{16,}\b/g, (digest) => digest.slice(0, 8));

/** Columns as flux sets them: padded to the widest cell, a tab between. */
const tabbed = (rows: string[][]) =>
  rows.map((row) => `${row.map((cell, at) => cell.padEnd(Math.max(...rows.map((other) => other[at]!.length)))).join("\t")}\n`).join("");
