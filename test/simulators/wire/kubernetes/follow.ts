// Follows every kind of the API server: one list, then one watch, over one connection. Events are queued, in order, until they are taken.
import { setTimeout as pause } from "node:timers/promises";
import { isBuiltIn, type Kind, resourceOf } from "../../world/cluster/kinds.ts";
import type { ApiClient } from "./client.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

/** All objects of a kind, or one that changed or went. */
export type News =
  | { what: "all"; kind: Kind; objects: KubeObject[]; version: string }
  | { what: "changed"; kind: Kind; object: KubeObject }
  | { what: "gone"; kind: Kind; object: KubeObject };

export interface Followers {
  /** Begins to follow those of these kinds that are not followed yet, and forgets those that are not among them. */
  follow(kinds: Kind[]): void;
  /** Whether every kind was listed once since it is followed. */
  complete(): boolean;
  /** What came since it was asked last. */
  take(): News[];
  close(): void;
}

const AGAIN_MS = 50;

/** Where the objects of a kind are: `/apis/apps/v1/deployments`, `/api/v1/namespaces/kube-system/secrets/x`. */
export function pathOf({ group, versions, plural, namespaced }: Kind, namespace?: string, name?: string): string {
  const root = group ? `/apis/${group}/${versions[0]}` : `/api/${versions[0]}`;
  const within = namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
  return `${root}${within}/${plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** Followers over this connection; `failed` hears what ends one of them for good. */
export function openFollowers(client: ApiClient, failed: (error: Error) => void): Followers {
  const followed = new Map<string, { listed: boolean; wanted: boolean }>();
  const queue: News[] = [];
  let closed = false;
  const one = async (kind: Kind, state: { listed: boolean; wanted: boolean }) => {
    const path = pathOf(kind);
    while (!closed && state.wanted) {
      const { status, body } = await client.ask("GET", path);
      if (status === 404 && isBuiltIn(kind)) return void (state.listed = true); // another release of Kubernetes, which has no such kind
      // a definition is Established a moment before its kind is served
      if (status !== 200) {
        if (status !== 404 && status !== 429 && status !== 503) throw new Error(`GET ${path}: ${status} ${body?.message ?? ""}`);
        await pause(AGAIN_MS);
        continue;
      }
      const { apiVersion } = body;
      const kindOfItems = { apiVersion, kind: kind.kind }; // a list's items do not say
      queue.push({
        what: "all",
        kind,
        version: body.metadata.resourceVersion,
        objects: body.items.map((item: KubeObject) => ({ ...kindOfItems, ...item })),
      });
      state.listed = true;
      let version = body.metadata.resourceVersion as string;
      let stale = false;
      while (!closed && state.wanted && !stale) {
        const ended = await client.watch(`${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${version}`, ({ type, object }) => {
          if (type === "ERROR") return void (stale = true);
          version = object.metadata.resourceVersion;
          if (type !== "BOOKMARK") queue.push({ what: type === "DELETED" ? "gone" : "changed", kind, object });
        });
        if (ended !== 200) stale = true;
      }
      if (!closed && state.wanted) await pause(AGAIN_MS);
    }
  };
  return {
    follow(kinds) {
      const names = new Set(kinds.map(resourceOf));
      for (const [name, state] of followed) {
        if (names.has(name)) continue;
        state.wanted = false;
        followed.delete(name);
      }
      for (const kind of kinds) {
        const name = resourceOf(kind);
        if (followed.has(name)) continue;
        const state = { listed: false, wanted: true };
        followed.set(name, state);
        one(kind, state).catch((error: Error) => !closed && failed(error));
      }
    },
    complete: () => [...followed.values()].every(({ listed }) => listed),
    take: () => queue.splice(0),
    close: () => void (closed = true),
  };
}
