// `$patch: delete` in a patch, as Talos applies it: deletes come first, and each must find its target.
import { Plain } from "../text/go-scalar.ts";
import type { TypeTree } from "./patch-types.ts";
import { isMap } from "./patch-values.ts";

/** Rules of values whose keys are free. */
const FREE = /^(any|map|args)/;

type Map = Record<string, unknown>;

export interface Delete {
  path: string[];
  /** Of an item of a list: the first field beside `$patch` chooses the item. */
  item?: { key: string; value: string };
}

/** The deletes of a patch document, and the document without them. `rest` is undefined if nothing else is in it. */
export function takeDeletes(document: Map): { deletes: Delete[]; rest: Map | undefined; whole: boolean } {
  const deletes: Delete[] = [];
  const rest = without(document, [], deletes) as Map | undefined;
  const left = rest && Object.keys(rest).some((key) => !["version", "kind", "name"].includes(key)); // Talos merges a document that has an apiVersion
  return { deletes, rest: deletes.length === 0 || left ? rest : undefined, whole: deletes.some(({ path }) => path.length === 0) };
}

/** The value without what is deleted; undefined if nothing is left of it. */
function without(value: unknown, path: string[], deletes: Delete[], inList = false): unknown {
  if (Array.isArray(value)) {
    const items = value.map((one) => without(one, [...path, "[]"], deletes, true)).filter((one) => one !== undefined);
    return items.length === 0 && value.length > 0 ? undefined : items;
  }
  if (!isMap(value)) return value;
  if (value.$patch === "delete") {
    if (inList) deletes.push({ path: path.slice(0, -1), item: chosenBy(value, path) });
    else if (path.includes("[]"))
      throw new Error(`$patch: delete: ${shown(path)} is inside an item of a list, only the whole item can be deleted`);
    else deletes.push({ path });
    return undefined;
  }
  const before = deletes.length;
  const left = Object.entries(value)
    .map(([key, one]) => [key, without(one, [...path, key], deletes)] as const)
    .filter(([, one]) => one !== undefined);
  return left.length === 0 && deletes.length > before ? undefined : Object.fromEntries(left);
}

function chosenBy(item: Map, path: string[]): { key: string; value: string } {
  const [key, value] = Object.entries(item).find(([name]) => name !== "$patch") ?? [];
  if (key === undefined) throw new Error(`$patch: delete: ${shown(path)} needs a field beside it that chooses the item`);
  return { key, value: value instanceof Plain ? value.text : isMap(value) || Array.isArray(value) || value === null ? "" : String(value) };
}

/** Deletes one thing from a document in place. Throws if there is no such field, map key or item. */
export function applyDelete(document: Map, { path, item }: Delete, types: TypeTree | undefined, title: string): void {
  const missing = () => new Error(`$patch: delete: ${title} has no ${shown(path)}${item ? ` with ${item.key}: ${item.value}` : ""}`);
  let at = document;
  let type: TypeTree | string | undefined = types;
  for (const [index, key] of path.entries()) {
    const isStruct = typeof type === "object" && !("*" in type);
    const known: TypeTree | string | undefined = typeof type === "object" ? (type[key] ?? type["*"]) : undefined;
    if ((isStruct && known === undefined) || (typeof type === "string" && !FREE.test(type))) throw missing();
    const here = at[key] ?? undefined;
    if (index === path.length - 1 && !item) {
      if (here === undefined && !isStruct) throw missing();
      delete at[key];
      return;
    }
    if (index === path.length - 1) {
      if (!Array.isArray(here) || typeof type === "string") throw missing();
      return deleteItem(here, item!, missing);
    }
    if (here === undefined && typeof known === "object" && known["="] !== undefined) at[key] = {};
    else if (!isMap(here)) throw missing();
    at = at[key] as Map;
    type = known ?? (typeof type === "string" ? type : undefined);
  }
}

/** The first item with that text; Talos compares texts only, so a number chooses nothing. */
function deleteItem(list: unknown[], { key, value }: { key: string; value: string }, missing: () => Error): void {
  const index = list.findIndex((one) => isMap(one) && (one[key] instanceof Plain ? one[key].text : one[key]) === value);
  if (index < 0) throw missing();
  list.splice(index, 1);
}

const shown = (path: string[]) => path.join(".").replaceAll(".[]", "[]");
