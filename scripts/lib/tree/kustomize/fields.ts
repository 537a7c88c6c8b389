// Field paths as kustomize writes them: spec/template/metadata/labels, with lists on the way gone through element by element.
import type { KubeObject } from "../types.ts";
import type { Id } from "./resource.ts";

export interface FieldSpec {
  group?: string;
  version?: string;
  kind?: string;
  path: string;
  create?: boolean;
}

type Holder = Record<string, unknown> | unknown[];

/** Whether a field spec is for objects of this kind. */
export const fits = ({ group, version, kind }: FieldSpec, id: Pick<Id, "group" | "version" | "kind">) =>
  (!group || group === id.group) && (!version || version === id.version) && (!kind || kind === id.kind);

/** `a\/b` is one step. */
const stepsOf = (path: string) => path.split(/(?<!\\)\//).map((step) => step.replaceAll("\\/", "/"));

/** Calls `set` for every place that the path leads to; `create` makes the maps that are missing, never a list. */
export function eachField(
  object: KubeObject,
  { path, create = false }: Pick<FieldSpec, "path" | "create">,
  set: (holder: Record<string, unknown>, key: string) => void,
): void {
  const walk = (holder: unknown, steps: string[]): void => {
    if (Array.isArray(holder)) return holder.forEach((one) => walk(one, steps));
    if (typeof holder !== "object" || holder === null) return;
    const map = holder as Record<string, unknown>;
    const [step = "", ...rest] = steps;
    const key = step.replace(/\[\]$/, "");
    if (rest.length === 0) {
      if (key in map || create) set(map, key);
      return;
    }
    if (map[key] === undefined || map[key] === null) {
      if (!create || step.endsWith("[]") || rest.some((one) => one.endsWith("[]"))) return;
      map[key] = {};
    }
    walk(map[key], rest);
  };
  walk(object, stepsOf(path));
}

/** A deep copy of what is JSON, without the cost of structuredClone. */
export function copy<T>(value: T): T {
  if (Array.isArray(value)) return (value as unknown[]).map(copy) as T;
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const key in value) result[key] = copy(value[key]);
  return result as T;
}

/** Takes every key without a value out of maps, as kyaml does with the object that it patches; an explicit null stays. */
export function dropEmpty(value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [key, one] of Object.entries(value))
    if (one === undefined) delete (value as Record<string, unknown>)[key];
    else dropEmpty(one);
}

/** Makes null of what is left without a value. */
export function fillEmpty(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, one] of Object.entries(value))
    if (one === undefined) (value as Record<string, unknown>)[key] = null;
    else fillEmpty(one);
}

export const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null;
