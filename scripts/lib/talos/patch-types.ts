// How Talos' own types let a patch change each value of a machine config. A conformance test compares the table with those types.
import { readFileSync } from "node:fs";

/**
 * By name of the field, `*` for the values of a map. A branch is a struct or a map of structs; `=` says that the struct is never absent,
 * `[]` that it is the item of a list and which field tells two items apart. A leaf is a rule:
 * - `replace`: what the patch has takes the place of the whole value
 * - `reset`: as `replace`, and a patch of the struct around it that does not have it removes it
 * - `integer`, `zero:<name>`: a zero in the patch changes nothing, whatever it is called
 * - `map`: a map of texts; `args`: one in which an empty text counts; `any`: free form
 * - `items:<name>`: a list in which an item takes the place of the one with the same value of that field
 * - nothing: maps merge, lists append, an empty text changes nothing
 * A rule with `@14` holds from Talos 1.14 on.
 */
export interface TypeTree {
  [name: string]: string | TypeTree;
}

let tree: TypeTree | undefined;

/** The table for documents of one kind; undefined for a kind that no supported version knows. */
export function typesOfKind(kind: string): TypeTree | undefined {
  tree ??= JSON.parse(readFileSync(new URL("patch-types.json", import.meta.url), "utf8")) as TypeTree;
  return tree[kind] as TypeTree | undefined;
}

/** The rule of a leaf for a minor version of Talos; "" where nothing special holds. */
export function ruleOf(type: string | TypeTree | undefined, minor: number): string {
  if (typeof type !== "string") return "";
  const [, rule = "", since] = /^(.*?)(?:@(\d+))?$/.exec(type)!;
  return since === undefined || minor >= Number(since) ? rule : "";
}
