// Sorts the objects of a cluster once while its controllers decide what to do: they ask hundreds of times, and nothing changes until they have decided.
import type { ClusterState, Entry } from "./state.ts";

interface Sorted {
  state: Readonly<ClusterState>;
  byResource: Map<string, Entry[]>;
  /** What was derived from these objects, by the function that derives it. */
  derived: Map<unknown, unknown>;
}

let sorted: Sorted | undefined;

/** Runs a function that only reads the state, and is not asynchronous. */
export function reading<T>(state: Readonly<ClusterState>, read: () => T): T {
  const before = sorted;
  const byResource = new Map<string, Entry[]>();
  for (const key of Object.keys(state.objects)) {
    const resource = key.slice(0, key.indexOf("/"));
    const entries = byResource.get(resource);
    if (entries) entries.push(state.objects[key]!);
    else byResource.set(resource, [state.objects[key]!]);
  }
  sorted = { state, byResource, derived: new Map() };
  try {
    return read();
  } finally {
    sorted = before;
  }
}

/** The objects of a resource (`helmreleases.helm.toolkit.fluxcd.io`), in the order in which they were made. */
export function entriesOf(state: Readonly<ClusterState>, resource: string): Entry[] {
  if (sorted?.state === state) return sorted.byResource.get(resource) ?? [];
  const prefix = `${resource}/`;
  return Object.keys(state.objects).flatMap((key) => (key.startsWith(prefix) ? [state.objects[key]!] : []));
}

/** What a function derives from all objects: once while the state is only read. */
export function derived<T>(state: Readonly<ClusterState>, derive: (state: Readonly<ClusterState>) => T): T {
  if (sorted?.state !== state) return derive(state);
  if (!sorted.derived.has(derive)) sorted.derived.set(derive, derive(state));
  return sorted.derived.get(derive) as T;
}
