// The keys of the simulation, built in one place so that the step that needs a key and the step that provides it use the same string.
import { isClusterScopedKind } from "../chart-facts.ts";
import { groupOf } from "../../tree/object.ts";
import type { KubeObject } from "../../tree/types.ts";
import type { Key, Need } from "./step.ts";

export interface Reference {
  group: string;
  kind: string;
  /** Empty for what belongs to no namespace. */
  namespace: string;
  name: string;
}

const idOf = ({ group, kind, namespace, name }: Reference) => `${group ? `${kind}.${group}` : kind}/${namespace}/${name}`;
const referenceOf = (object: KubeObject): Reference => ({
  group: groupOf(object),
  kind: object.kind,
  namespace: namespaceOf(object),
  name: object.metadata.name,
});

/** Its namespace; none for a kind that has none, though kustomize writes one into custom kinds that it does not know. */
export const namespaceOf = (object: KubeObject) => (isClusterScopedKind(object) ? "" : (object.metadata.namespace ?? ""));

/** Its controller has looked at it once, however that ended. */
export const triedKey = (reference: Reference): Key => `tried:${idOf(reference)}`;
export const kindKey = (group: string, kind: string): Key => `kind:${group}/${kind}`;
/** Every kind of a group: a chart that brings an API whole. */
export const groupKey = (group: string): Key => `group:${group}`;
export const namespaceKey = (name: string): Key => `namespace:${name}`;
export const existsKey = (object: KubeObject | Reference): Key =>
  `exists:${idOf("metadata" in object ? referenceOf(object as KubeObject) : (object as Reference))}`;
export const readyKey = (object: KubeObject | Reference): Key =>
  `ready:${idOf("metadata" in object ? referenceOf(object as KubeObject) : (object as Reference))}`;
export const secretKey = (namespace: string, name: string): Key => existsKey({ group: "", kind: "Secret", namespace, name });
export const configMapKey = (namespace: string, name: string): Key => existsKey({ group: "", kind: "ConfigMap", namespace, name });
const storageClass = (name: string): Reference => ({ group: "storage.k8s.io", kind: "StorageClass", namespace: "", name });
export const storageClassKey = (name: string): Key => existsKey(storageClass(name));
/** Volumes of the class can be provisioned: Ceph is ready long after its classes exist. */
export const provisionedKey = (name: string): Key => readyKey(storageClass(name));
export const serviceKey = (namespace: string, name: string): Key => `serving:${namespace}/${name}`;
/** The operator of an API runs. */
export const controllerKey = (group: string): Key => `controller:${group}`;
/** The admission webhook that looks at an API's objects answers. */
export const webhookKey = (group: string): Key => `webhook:${group}`;
/** A chart's own object of a kind: charts.yaml says that it has some, not their names. */
export const madeKey = (kind: Key, namespace: string): Key => `made:${kind.slice("kind:".length)}/${namespace}`;
/** An item of the password store that a PushSecret of this tree writes. */
export const itemKey = (store: string, item: string): Key => `item:${store}|${item}`;
/** A host name that DNS in this cluster answers. */
export const hostKey = (host: string): Key => `host:${host}`;

/** The parts of a key: its sort and its name. */
export function partsOf(key: Key): { sort: string; rest: string; reference?: Reference } {
  const at = key.indexOf(":");
  const [sort, rest] = [key.slice(0, at), key.slice(at + 1)];
  if (sort !== "exists" && sort !== "ready" && sort !== "tried") return { sort, rest };
  const [kindAndGroup = "", namespace = "", ...name] = rest.split("/");
  const dot = kindAndGroup.indexOf(".");
  const [kind, group] = dot < 0 ? [kindAndGroup, ""] : [kindAndGroup.slice(0, dot), kindAndGroup.slice(dot + 1)];
  return { sort, rest, reference: { group, kind, namespace, name: name.join("/") } };
}

/** A key in words: `Secret network/tls`, `the kind Certificate (cert-manager.io)`. */
export function inWords(key: Key): string {
  const { sort, rest, reference } = partsOf(key);
  if (reference) {
    const name = `${reference.kind} ${reference.namespace ? `${reference.namespace}/` : ""}${reference.name}`;
    return sort === "tried" ? `the first try of ${name}` : name;
  }
  switch (sort) {
    case "kind": {
      const slash = rest.indexOf("/");
      return `the kind ${rest.slice(slash + 1)} (${rest.slice(0, slash) || "core"})`;
    }
    case "made": {
      const [, kind, namespace] = rest.split("/");
      return `${kind} of a chart in ${namespace}`;
    }
    case "namespace":
      return `Namespace ${rest}`;
    case "controller":
      return `a controller for ${rest}`;
    case "webhook":
      return `the admission webhook of ${rest}`;
    case "item":
      return `item ${rest.slice(rest.indexOf("|") + 1)} of the password store`;
    case "host":
      return `the host name ${rest}`;
    case "serving":
      return `a Pod behind Service ${rest}`;
    default:
      return rest;
  }
}

/** Why something is needed, with what is needed: `substitutes from Secret network/tls`. */
export const say = ({ key, why }: Pick<Need, "key" | "why">) => why.replace("%", inWords(key));

/** An object in words: `Secret network/tls`. */
export const named = (object: KubeObject) => inWords(existsKey(object));

/** Several things in words: kinds of one API together. */
export function whatOf(keys: Key[]): string {
  const kinds = keys.filter((key) => partsOf(key).sort === "kind").map((key) => partsOf(key).rest.split("/") as [string, string]);
  if (kinds.length < 2) return inWords((keys.find((key) => partsOf(key).sort === "kind") ?? keys[0])!);
  const groups = new Map<string, string[]>();
  for (const [group, kind] of kinds) groups.set(group, [...(groups.get(group) ?? []), kind]);
  return `the kinds ${[...groups].map(([group, names]) => `${names.join(", ")} (${group})`).join(" and ")}`;
}
