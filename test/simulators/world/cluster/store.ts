// What etcd holds: objects by kind, namespace and name, and the little that the API server does to them when they are written.
import { createHash, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { withDefaults } from "./defaults.ts";
import { derived, entriesOf } from "./reading.ts";
import { type Kind, kindNamed, kindsOf, resourceOf } from "./kinds.ts";
import type { KubeObject, Entry, ClusterState } from "./state.ts";

export type Written = { error: string } | { object: KubeObject; done: "created" | "configured" | "unchanged" };

/** What every reader and writer of the cluster goes through: the stand-ins and the controllers. */
export interface Store {
  get(kind: Kind, namespace: string | undefined, name: string): Entry | undefined;
  list(kind: Kind, namespace?: string): Entry[];
  /** Server-side apply; an error in the API server's words. */
  apply(object: KubeObject): Written;
  /** JSON merge patch. */
  patch(kind: Kind, namespace: string | undefined, name: string, patch: object): Written;
  delete(kind: Kind, namespace: string | undefined, name: string): boolean;
}

export const freshCluster = (): ClusterState => ({ version: 1, objects: {}, releases: {} });

export const keyOf = (kind: Pick<Kind, "plural" | "group">, namespace: string | undefined, name: string) =>
  `${resourceOf(kind)}/${namespace ?? ""}/${name}`;

/** An entry whose kind is known to its caller: `entryAt(state, "secrets", "flux-system", "sops-age-secret")`. */
export const entryAt = (state: Readonly<ClusterState>, resource: string, namespace: string, name: string): Entry | undefined =>
  state.objects[`${resource}/${namespace}/${name}`];

export { entriesOf };

/** The store over a state that may be written; `now` in milliseconds, `by` the field manager. */
export function storeOf(state: ClusterState, now: number, by = "kubectl"): Store {
  const place = (kind: Kind, namespace: string | undefined, name: string) =>
    keyOf(kind, kind.namespaced ? (namespace ?? "default") : undefined, name);
  const put = (kind: Kind, wanted: KubeObject, whole = false): Written => {
    const { name } = wanted.metadata;
    const namespace = kind.namespaced ? (wanted.metadata.namespace ?? "default") : undefined;
    if (namespace !== undefined && !state.objects[`namespaces//${namespace}`])
      return { error: `Error from server (NotFound): namespaces ${JSON.stringify(namespace)} not found` };
    const key = keyOf(kind, namespace, name);
    const had = state.objects[key];
    const { metadata, ...body } = admitted(wanted);
    const { namespace: _, ...labels } = metadata;
    let next: KubeObject = {
      ...had?.object,
      ...body,
      // who states no data leaves that of others
      ...(!whole && had && wanted.data === undefined && wanted.stringData === undefined && had.object.data && { data: had.object.data }),
      metadata: {
        ...(whole ? serversOwn(had) : had?.object.metadata),
        ...labels,
        ...(namespace !== undefined && { namespace }),
        ...merged("labels", whole ? undefined : had, wanted),
        ...merged("annotations", whole ? undefined : had, wanted),
      },
    };
    if (!state.outbox) next = withDefaults(next); // a real API server fills them in by itself
    if (kind.kind === "Namespace") next.metadata.labels = { "kubernetes.io/metadata.name": name, ...next.metadata.labels };
    if (had && isDeepStrictEqual(had.object, next)) return { object: had.object, done: "unchanged" };
    state.version += 1;
    const changed = !had || !isDeepStrictEqual(bodyOf(had.object), bodyOf(next));
    if (!had) Object.assign(next.metadata, { uid: randomUUID(), creationTimestamp: `${new Date(now).toISOString().slice(0, 19)}Z` });
    if (kind.group) next.metadata.generation = (had?.object.metadata.generation ?? 0) + Number(changed);
    next.metadata.resourceVersion = String(state.version);
    if (kind.kind === "Namespace") next.status ??= { phase: "Active" };
    state.objects[key] = { ...had, object: next, at: changed ? now : had!.at };
    return { object: next, done: had ? "configured" : "created" };
  };
  return {
    get: (kind, namespace, name) => state.objects[place(kind, namespace, name)],
    list: (kind, namespace) =>
      entriesOf(state, resourceOf(kind))
        .filter(({ object }) => namespace === undefined || !kind.namespaced || object.metadata.namespace === namespace)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    apply(object) {
      const kind = kindNamed(state, object.apiVersion, object.kind);
      if (!kind) return { error: noMatch(object, "STDIN") };
      const written = put(kind, withoutNulls(object));
      if (!("error" in written)) state.outbox?.push({ verb: "apply", by, object });
      return written;
    },
    patch(kind, namespace, name, patch) {
      const had = state.objects[place(kind, namespace, name)];
      if (!had) return { error: notFound(kind, name) };
      const next = mergePatch(structuredClone(had.object), patch) as KubeObject;
      const written = put(kind, next, true);
      if ("error" in written) return written;
      state.outbox?.push({ verb: "patch", by, patch, ...addressOf(kind, had.object) });
      if (written.object.metadata.deletionTimestamp !== undefined && !isHeld(state, written.object))
        delete state.objects[place(kind, namespace, name)];
      return written;
    },
    delete(kind, namespace, name) {
      const key = place(kind, namespace, name);
      const had = state.objects[key];
      if (!had) return false;
      state.outbox?.push({ verb: "delete", by, ...addressOf(kind, had.object) });
      state.version += 1;
      if (isHeld(state, had.object)) {
        const deletionTimestamp = had.object.metadata.deletionTimestamp ?? `${new Date(now).toISOString().slice(0, 19)}Z`;
        const metadata = { ...had.object.metadata, deletionTimestamp, resourceVersion: String(state.version) };
        state.objects[key] = { ...had, object: { ...had.object, metadata }, at: now };
        return true;
      }
      delete state.objects[key];
      if (kind.kind === "Namespace") {
        for (const [at, { object }] of Object.entries(state.objects)) if (object.metadata.namespace === name) delete state.objects[at];
        for (const [at, release] of Object.entries(state.releases)) if (release.namespace === name) delete state.releases[at];
      }
      if (kind.kind === "CustomResourceDefinition")
        for (const at of Object.keys(state.objects)) if (at.startsWith(`${name}/`)) delete state.objects[at];
      return true;
    },
  };
}

/** Whether a controller has to clean up before the object goes: one has asked for it, or a real API server keeps a Namespace until it is empty. */
const isHeld = (state: ClusterState, { kind, metadata }: KubeObject) =>
  (metadata.finalizers ?? []).length > 0 || (state.outbox !== undefined && kind === "Namespace");

/** What a patch cannot take away. */
function serversOwn(had: Entry | undefined) {
  const { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp }: Partial<KubeObject["metadata"]> =
    had?.object.metadata ?? {};
  const own = { uid, resourceVersion, generation, creationTimestamp, deletionTimestamp };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

const addressOf = (kind: Kind, { apiVersion, metadata }: KubeObject) => ({
  key: keyOf(kind, metadata.namespace, metadata.name),
  apiVersion,
  kind: kind.kind,
});

const sortKey = ({ object: { metadata } }: Entry) => `${metadata.namespace ?? ""}/${metadata.name}`;

export const notFound = (kind: Kind, name: string) => `Error from server (NotFound): ${resourceOf(kind)} ${JSON.stringify(name)} not found`;

/** What kubectl says about a manifest whose kind nobody serves. */
export const noMatch = ({ apiVersion, kind, metadata }: KubeObject, from: string) =>
  `resource mapping not found for name: ${JSON.stringify(metadata.name)} namespace: ${JSON.stringify(metadata.namespace ?? "")} from ${JSON.stringify(from)}: no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}\nensure CRDs are installed first`;

function merged(where: "labels" | "annotations", had: Entry | undefined, wanted: KubeObject) {
  const both = { ...had?.object.metadata[where], ...wanted.metadata[where] };
  return Object.keys(both).length > 0 ? { [where]: both } : {};
}

const bodyOf = ({ metadata: _metadata, status: _status, ...body }: KubeObject) => body;

/** What the API server makes of an object before it keeps it. */
function admitted(object: KubeObject): KubeObject {
  const { uid: _, resourceVersion: __, generation: ___, creationTimestamp: ____, ...metadata } = object.metadata;
  const { status: _____, ...rest }: KubeObject = { ...object, metadata };
  if (object.kind === "Secret") {
    const { stringData = {}, data = {}, ...secret } = rest as any;
    const encoded = Object.fromEntries(
      Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]),
    );
    return { ...secret, data: { ...data, ...encoded }, type: secret.type ?? "Opaque" };
  }
  // of a definition only what names it: schemas are megabytes, and nothing here reads them
  if (object.kind === "CustomResourceDefinition") {
    const { group, names, scope, versions } = object.spec;
    return {
      ...rest,
      spec: { group, names, scope, versions: versions.map(({ name, served, storage }: any) => ({ name, served, storage })) },
    };
  }
  return rest as KubeObject;
}

/** A field that is applied as null is one that is left out. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]]))) as T;
}

/** RFC 7386. */
export function mergePatch(target: any, patch: any): any {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

const keyIn = (state: ClusterState, { object }: Entry) =>
  Object.keys(state.objects).find((key) => state.objects[key]!.object.metadata.uid === object.metadata.uid)!;

/** Writes a status as a controller does: beside the spec, without a new generation. */
export function setStatus(state: ClusterState, entry: Entry, status: object, by: string): void {
  const { apiVersion, kind } = entry.object;
  const written = { ...status, ...timed((status as Status).conditions, (entry.object.status as Status | undefined)?.conditions) };
  state.outbox?.push({ verb: "status", by, key: keyIn(state, entry), apiVersion, kind, status: written });
  state.version += 1;
  entry.object.status = { ...entry.object.status, ...written };
  entry.object.metadata.resourceVersion = String(state.version);
}

interface Status {
  conditions?: { type: string; status: string; lastTransitionTime?: string }[];
}

/** The API wants to know of every condition since when it is as it is. */
function timed(conditions: Status["conditions"], before: Status["conditions"] = []): Status {
  if (!conditions) return {};
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const since = ({ type, status }: { type: string; status: string }) =>
    before.find((one) => one.type === type && one.status === status)?.lastTransitionTime ?? now;
  return { conditions: conditions.map((one) => ({ ...one, lastTransitionTime: one.lastTransitionTime ?? since(one) })) };
}

/** The generation that a status is about: as it says itself, or its conditions do. One that says nothing of it is about the present one. */
export const observedOf = ({ object: { metadata, status } }: Entry): number | undefined =>
  status === undefined ? undefined : (status.observedGeneration ?? status.conditions?.[0]?.observedGeneration ?? metadata.generation);

export const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

const servedKinds = (state: Readonly<ClusterState>) =>
  new Set(
    kindsOf(state).flatMap(({ group, versions, kind }) => versions.map((version) => `${group ? `${group}/` : ""}${version} ${kind}`)),
  );

/** Whether all these kinds are served: `cilium.io/v2 CiliumNode`. */
export function servesAll(state: Readonly<ClusterState>, kinds: string[]): boolean {
  const served = derived(state, servedKinds);
  return kinds.every((kind) => served.has(kind));
}
