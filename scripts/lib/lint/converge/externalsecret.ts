// External Secrets: a store is ready with its credentials and its server, an ExternalSecret with its store and its item; then its Secret exists.
import type { KubeObject, Source } from "../../tree/types.ts";
import { hostKey, itemKey, readyKey, secretKey, serviceKey } from "./keys.ts";
import type { Behaviour } from "./behaviour.ts";
import { need, type Need } from "./step.ts";
import { hostOf, inCluster, publisherOf } from "./hosts.ts";
import type { World } from "./world.ts";
import { maps } from "./shape.ts";

const GROUP = "external-secrets.io";

/** A store: every Secret that its provider names, and the server that it asks. */
export function secretStore(object: KubeObject, source: Source, world: World): Behaviour {
  const own = object.metadata.namespace ?? "";
  const needs: Need[] = [];
  references(object.spec?.provider, (reference) => {
    const namespace = reference.namespace ?? own;
    if (namespace) needs.push(need(secretKey(namespace, reference.name), "wait", "logs in with %", source));
  });
  const host = hostOf(object.spec?.provider?.onepassword?.connectHost);
  const service = host && inCluster(host);
  if (service) needs.push(need(serviceKey(service.namespace, service.name), "wait", "asks %", source));
  else if (host && world.controlled.has("externaldns.k8s.io") && publisherOf(host, world))
    needs.push(need(hostKey(host), "wait", "asks %", source));
  return { needs, controller: GROUP };
}

/** `{name, key}` below a key that ends in SecretRef: the shape of every provider's credentials. */
function references(node: unknown, found: (reference: { name: string; namespace?: string }) => void): void {
  if (node === null || typeof node !== "object") return;
  for (const [key, value] of Object.entries(node)) {
    const name = (value as { name?: unknown } | null)?.name;
    if (/secretRef$/i.test(key) && typeof name === "string") found(value as { name: string });
    else references(value, found);
  }
}

/** An ExternalSecret: its store, and the items that only this tree writes. All other items are the catalogue's, which another check asks for. */
export function externalSecret(object: KubeObject, source: Source, world: World): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const spec = object.spec ?? {};
  const needs: Need[] = [];
  const stores = new Set<string>();
  const store = storeKey(spec.secretStoreRef, namespace);
  if (store) stores.add(store);
  for (const reading of [...maps(spec.data), ...maps(spec.dataFrom)]) {
    const from = storeKey(reading.sourceRef?.storeRef, namespace) ?? store;
    if (reading.sourceRef?.generatorRef) continue;
    if (from) stores.add(from);
    const item = reading.remoteRef?.key ?? reading.extract?.key;
    const pushed = from && item && itemKey(from, item);
    if (pushed && world.pushed.has(pushed)) needs.push(need(pushed, "wait", "reads %", source));
  }
  const whole = maps(spec.dataFrom);
  if (whole.length > 0 && whole.every((one) => one.sourceRef?.generatorRef)) stores.clear(); // made here, from no store
  for (const key of stores) needs.push(need(key, "wait", "asks %", source));
  const { name = object.metadata.name, creationPolicy } = spec.target ?? {};
  const secret = secretKey(namespace, name);
  if (creationPolicy === "Merge") needs.push(need(secret, "wait", "adds to %", source));
  return { needs, provides: creationPolicy === "None" || creationPolicy === "Merge" ? [] : [secret], controller: GROUP };
}

/** A PushSecret: its store and the Secret that it reads; then the item is there. */
export function pushSecret(object: KubeObject, source: Source): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const name = object.spec?.selector?.secret?.name;
  const needs = maps(object.spec?.secretStoreRefs)
    .flatMap((reference: any) => storeKey(reference, namespace) ?? [])
    .map((key: string) => need(key, "wait", "writes to %", source));
  if (name) needs.push(need(secretKey(namespace, name), "wait", "reads %", source));
  return { needs, provides: pushedItems(object), controller: GROUP };
}

/** The items that a PushSecret writes. */
export function pushedItems(object: KubeObject): string[] {
  const namespace = object.metadata.namespace ?? "";
  const stores = maps(object.spec?.secretStoreRefs).flatMap((reference: any) => storeKey(reference, namespace) ?? []);
  const items = new Set<string>(maps(object.spec?.data).flatMap((one: any) => one.match?.remoteRef?.remoteKey ?? []));
  return stores.flatMap((store: string) => [...items].map((item) => itemKey(store, item)));
}

function storeKey(reference: { kind?: string; name?: string } | undefined, namespace: string): string | undefined {
  if (!reference?.name) return undefined;
  const kind = reference.kind ?? "SecretStore";
  return readyKey({ group: GROUP, kind, namespace: kind === "ClusterSecretStore" ? "" : namespace, name: reference.name });
}
