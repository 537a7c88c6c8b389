// What kustomize-controller and helm-controller remember of what they applied, and what they delete when it left the set or its owner is deleted.
import { same } from "./status.ts";
import { OWNER } from "./health.ts";
import { kindNamed } from "../cluster/kinds.ts";
import { storeOf } from "../cluster/store.ts";
import type { ClusterState, Entry, KubeObject } from "../cluster/state.ts";

/** An object as Flux writes it down: `namespace_name_group_kind`, a colon in a name as `__`. */
export interface InventoryEntry {
  id: string;
  v: string;
}

const FINALIZER = "finalizers.fluxcd.io";

const groupOf = (apiVersion: string) => (apiVersion.includes("/") ? apiVersion.split("/")[0]! : "");

/** The inventory of these objects, sorted so that it stays the same. */
export function inventoryOf(state: Readonly<ClusterState>, objects: readonly KubeObject[]): InventoryEntry[] {
  const entries = objects.map(({ apiVersion, kind, metadata: { name, namespace } }) => {
    const isNamespaced = kindNamed(state, apiVersion, kind)?.namespaced ?? namespace !== undefined;
    const place = isNamespaced ? (namespace ?? "default") : "";
    return { id: `${place}_${name.replaceAll(":", "__")}_${groupOf(apiVersion)}_${kind}`, v: apiVersion.split("/").at(-1)! };
  });
  return entries.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** The object behind an entry, if there is one. */
function objectAt(state: Readonly<ClusterState>, { id, v }: InventoryEntry): Entry | undefined {
  const parts = id.split("_");
  const [kindName = "", group = ""] = [parts.at(-1), parts.at(-2)];
  const kind = kindNamed(state, group ? `${group}/${v}` : v, kindName);
  const name = parts.slice(1, -2).join("_").replaceAll("__", ":");
  return kind && storeOf(state as ClusterState, 0).get(kind, parts[0] || undefined, name);
}

const isMarked = ({ metadata: { annotations = {} } }: KubeObject) =>
  ["prune", "reconcile"].some((word) => annotations[`${OWNER}/${word}`]?.toLowerCase() === "disabled");

/** Deletes these entries of a Kustomization's inventory, but for what is marked to stay and what another Kustomization owns by now. */
export function prune(state: ClusterState, { object: { metadata } }: Entry, entries: readonly InventoryEntry[], now: number): void {
  const store = storeOf(state, now, "kustomize-controller");
  // what was applied first is deleted last, as Flux does
  for (const one of entries.toReversed()) {
    const found = objectAt(state, one)?.object;
    const { labels } = found?.metadata ?? {};
    const isOwn = labels?.[`${OWNER}/name`] === metadata.name && labels[`${OWNER}/namespace`] === metadata.namespace;
    if (!found || !isOwn || isMarked(found)) continue;
    store.delete(kindNamed(state, found.apiVersion, found.kind)!, found.metadata.namespace, found.metadata.name);
  }
}

/** Whether an object waits for its controller to clean up after it. */
export const isDeleted = ({ object: { metadata } }: Entry) => metadata.deletionTimestamp !== undefined;

/** Makes the API server keep a deleted object until its controller has cleaned up. */
export function keepUntilFinalized(state: ClusterState, entry: Entry, now: number, by: string): void {
  if (entry.object.metadata.finalizers?.includes(FINALIZER)) return;
  change(state, entry, now, by, [FINALIZER]);
}

/** Lets a deleted object go. */
export const finalize = (state: ClusterState, entry: Entry, now: number, by: string) => change(state, entry, now, by, null);

function change(state: ClusterState, entry: Entry, now: number, by: string, finalizers: string[] | null): void {
  const { object } = same(state, entry);
  const kind = kindNamed(state, object.apiVersion, object.kind)!;
  storeOf(state, now, by).patch(kind, object.metadata.namespace, object.metadata.name, { metadata: { finalizers } });
}

/** What a Kustomization does with what it applied when it is deleted. */
export function isPruning({ object: { spec } }: Entry): boolean {
  if (spec.suspend === true) return false;
  const policy = spec.deletionPolicy ?? "MirrorPrune";
  return policy === "MirrorPrune" ? spec.prune === true : policy === "Delete" || policy === "WaitForTermination";
}

/** Whether any of these is still there; with WaitForTermination Flux waits for all of them. */
export const areGone = (state: Readonly<ClusterState>, entry: Entry): boolean =>
  inventoryIn(entry).every((one) => {
    const found = objectAt(state, one);
    return !found || isMarked(found.object) || !isDeleted(found);
  });

export const inventoryIn = ({ object: { status } }: Entry): InventoryEntry[] => status?.inventory?.entries ?? [];
