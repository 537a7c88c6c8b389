// Merges a node's own documents over the documents of all nodes, as `talosctl machineconfig patch` merges a strategic merge patch.
import { isDeepStrictEqual } from "node:util";
import { applyDelete, takeDeletes } from "./patch-delete.ts";
import { ruleOf, type TypeTree, typesOfKind } from "./patch-types.ts";
import { goTypeOf, isMap, isZero, shapeOf, textsOf } from "./patch-values.ts";

export type Document = Record<string, unknown>;
type Type = TypeTree | string | undefined;

/** The newest minor version of Talos with known rules; the default. */
const NEWEST = 14;

/** Documents of the same apiVersion, kind and name are merged, others are added. `minor`: the version of Talos whose rules hold. */
export function mergeDocuments(base: readonly Document[], own: readonly Document[], minor = NEWEST): Document[] {
  const twice = minor < 14 && own.find((one, index) => own.findIndex((other) => identity(other) === identity(one)) !== index);
  if (twice) throw new Error(`${titleOf(twice)} stands twice: write it as one document`);
  const merged = base.map((document) => copyOf(document) as Document);
  for (const document of own) {
    const title = titleOf(document);
    const index = merged.findIndex((other) => identity(other) === identity(document));
    const types = typesOfKind(String(document.kind ?? "v1alpha1"));
    const { deletes, rest, whole } = takeDeletes(document);
    if (index < 0 && deletes.length > 0) throw new Error(`$patch: delete: there is no document ${title}`);
    if (whole && document.kind === undefined) throw new Error(`$patch: delete: the v1alpha1 document cannot be deleted`);
    if (whole) merged.splice(index, 1);
    else if (index < 0) merged.push(withoutNulls(document, types) as Document);
    else {
      for (const one of deletes) applyDelete(merged[index]!, one, types, title);
      if (rest) merged[index] = mergeMaps(merged[index]!, rest, { type: types, at: title, minor });
    }
  }
  return merged;
}

/** `HostnameConfig`, `LinkConfig lan`; the document without a kind is v1alpha1. */
export const titleOf = ({ kind, name }: Document) =>
  kind === undefined ? "v1alpha1" : `${String(kind)}${name === undefined ? "" : ` ${String(name)}`}`;

const identity = ({ apiVersion, kind, name }: Document) =>
  kind === undefined ? "v1alpha1" : JSON.stringify(textsOf([apiVersion, kind, name]));

interface Place {
  type: Type;
  /** Its place, for messages. */
  at: string;
  minor: number;
}

const inside = ({ type, at, minor }: Place, key: string): Place => ({
  type: typeof type === "object" ? (type[key] ?? type["*"]) : type === "any" ? "any" : undefined,
  at: `${at}.${key}`,
  minor,
});

function mergeMaps(base: Document, own: Document, place: Place): Document {
  const result = { ...base };
  for (const [key, value] of Object.entries(own)) {
    const there = inside(place, key);
    const had = result[key] ?? undefined;
    if (value === null) {
      // in a map of texts a key without a value is an empty text; in a struct it is absent, unless Talos does not know it and says so
      if (!isField(place.type, key) && (had === undefined || ruleOf(place.type, place.minor) === "args")) result[key] = null;
    } else if (had === undefined || ruleOf(place.type, place.minor) === "args") result[key] = withoutNulls(value, there.type);
    else result[key] = mergeValues(had, value, there);
  }
  resetAbsent(result, own, place);
  return result;
}

/** Talos resets some values when a patch has their struct but not them; a struct that is never absent counts as there. */
function resetAbsent(result: Document, own: Document, place: Place): void {
  if (typeof place.type !== "object") return;
  for (const [key, type] of Object.entries(place.type)) {
    if (ruleOf(type, place.minor) === "reset" && (own[key] ?? undefined) === undefined) delete result[key];
    else if (typeof type === "object" && type["="] !== undefined && (own[key] ?? undefined) === undefined && isMap(result[key]))
      result[key] = mergeMaps(result[key], {}, inside(place, key));
  }
}

function mergeValues(base: unknown, own: unknown, place: Place): unknown {
  const rule = ruleOf(place.type, place.minor);
  if (rule === "replace" || rule === "reset") return withoutNulls(own, place.type);
  if (shapeOf(base) !== shapeOf(own)) throw new Error(`${place.at}: ${shapeOf(own)} cannot be merged over ${shapeOf(base)}`);
  if (Array.isArray(base) && Array.isArray(own)) return mergeLists(base, own, place, rule);
  if (isMap(base) && isMap(own)) return mergeMaps(base, own, place);
  if (rule === "any" && goTypeOf(base) !== goTypeOf(own))
    throw new Error(`${place.at}: ${goTypeOf(own)} cannot be merged over ${goTypeOf(base)}`);
  return isZero(own, rule) ? base : own;
}

function mergeLists(base: unknown[], own: unknown[], place: Place, rule: string): unknown[] {
  const key = typeof place.type === "object" ? place.type["[]"] : undefined;
  const [, replacing] = /^items:(.*)$/.exec(rule) ?? [];
  const result = [...base];
  for (const item of own) {
    const same = isMap(item) ? result.findIndex((other) => isMap(other) && isSame(other, item, replacing ?? key)) : -1;
    if (same < 0) result.push(withoutNulls(item, place.type));
    else if (replacing) result[same] = item;
    else result[same] = mergeMaps(result[same] as Document, item as Document, { ...place, at: `${place.at}[${same}]` });
  }
  return result;
}

/** Whether two items of a list are about the same thing. A network interface may be chosen by a selector in place of its name. */
function isSame(one: Document, other: Document, key: TypeTree[string] | undefined): boolean {
  if (typeof key !== "string") return false;
  const by = key === "interface" && !other.interface ? "deviceSelector" : key;
  if (by === "deviceSelector" && !isMap(other[by])) return false;
  return isDeepStrictEqual(textsOf(one[by] ?? ""), textsOf(other[by] ?? ""));
}

const isField = (type: Type, key: string) => typeof type === "object" && key in type;

/** What a patch adds: a key without a value is absent, except in maps, where Talos sees it. */
function withoutNulls(value: unknown, type: Type): unknown {
  if (typeof type !== "object") return value;
  if (Array.isArray(value)) return value.map((one) => withoutNulls(one, type));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, one]) => one !== null || !isField(type, key))
      .map(([key, one]) => [key, withoutNulls(one, type[key] ?? type["*"])]),
  );
}

const copyOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(copyOf)
    : isMap(value)
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copyOf(one)]))
      : value;
