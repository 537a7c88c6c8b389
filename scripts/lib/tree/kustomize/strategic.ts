// Strategic merge patches as kyaml merges them: maps field by field, null deletes, lists of built-in kinds by their keys, every other list replaced.
import { copy } from "./fields.ts";

type Fields = Record<string, unknown>;
const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The merge keys of lists of the built-in kinds, by the field's name (x-kubernetes-patch-merge-key, x-kubernetes-list-map-keys). */
const KEYS: Record<string, string[]> = {
  conditions: ["type"],
  containers: ["name"],
  env: ["name"],
  ephemeralContainers: ["name"],
  hostAliases: ["ip"],
  imagePullSecrets: ["name"],
  initContainers: ["name"],
  ownerReferences: ["uid"],
  resourceClaims: ["name"],
  secrets: ["name"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
  volumeDevices: ["devicePath"],
  volumeMounts: ["mountPath"],
  volumes: ["name"],
  webhooks: ["name"],
};
const PORTS: Record<string, string[]> = { containers: ["containerPort", "protocol"], initContainers: ["containerPort", "protocol"] };
/** Built-in groups have no dot, or end in k8s.io. */
const isBuiltIn = (group: string) => !group.includes(".") || /^[a-z]+\.k8s\.io$|^rbac\.authorization\.k8s\.io$/.test(group);

/** Merges a patch into a value of a kind of `group`. Returns undefined when the whole of it is deleted. */
export function mergePatch(value: unknown, patch: unknown, group: string): unknown {
  return merge(value, patch, [], isBuiltIn(group));
}

function merge(value: unknown, patch: unknown, path: string[], builtIn: boolean): unknown {
  if (patch === null) return undefined;
  if (isMap(patch)) return mergeMap(value, patch, path, builtIn);
  if (Array.isArray(patch)) return mergeList(value, patch, path, builtIn);
  return patch;
}

function mergeMap(value: unknown, patch: Fields, path: string[], builtIn: boolean): unknown {
  const { $patch: directive, ...fields } = patch;
  if (directive === "delete") return undefined;
  if (directive === "replace") return strip(fields);
  if (!isMap(value)) return strip(fields);
  const result: Fields = { ...value };
  for (const [key, field] of Object.entries(fields)) {
    const merged = merge(value[key], field, [...path, key], builtIn);
    if (merged === undefined) delete result[key];
    else result[key] = merged;
  }
  return result;
}

/** What a patch adds, without the nulls that would have deleted something. */
function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => (isMap(one) ? strip(one) : copy(one)));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => (key === "$patch" || one === null ? [] : [[key, strip(one)]])));
}

function keysOf(path: string[]): string[] | undefined {
  const name = path.at(-1)!;
  if (name !== "ports") return KEYS[name];
  return PORTS[path.at(-2) ?? ""] ?? (path.length === 2 && path[0] === "spec" ? ["port", "protocol"] : undefined);
}

function mergeList(value: unknown, patch: unknown[], path: string[], builtIn: boolean): unknown {
  const directives = patch.filter((one) => isMap(one) && "$patch" in one && Object.keys(one).length === 1) as Fields[];
  const items = patch.filter((one) => !directives.includes(one as Fields));
  if (directives.some((one) => one.$patch === "delete")) return undefined;
  const primitive = path.at(-1) === "finalizers" && path.at(-2) === "metadata";
  const keys = builtIn ? keysOf(path) : undefined;
  if (directives.some((one) => one.$patch === "replace") || (!keys && !(builtIn && primitive)) || !Array.isArray(value))
    return strip(items);
  if (primitive) return [...items, ...value.filter((one) => !items.includes(one))];
  return mergeByKeys(value, items as Fields[], keys!, path, builtIn);
}

/** Elements of the patch come first, merged with those of the same key; with two keys, merged ones keep their place (kyaml, associative_sequence.go). */
function mergeByKeys(value: unknown[], items: Fields[], keys: string[], path: string[], builtIn: boolean): unknown[] {
  const used = keys.filter((key) => [...items, ...value].some((one) => isMap(one) && key in one));
  const same = (a: unknown, b: Fields) => isMap(a) && used.every((key) => String(a[key] ?? "") === String(b[key] ?? ""));
  const merged = new Map<unknown, unknown>();
  const own = items.map((item) => {
    const old = value.find((one) => same(one, item));
    const result = merge(old, item, path, builtIn);
    if (old !== undefined) merged.set(old, result);
    return { result, isNew: old === undefined };
  });
  const rest = value.filter((one) => used.length > 1 || !merged.has(one)).map((one) => (merged.has(one) ? merged.get(one) : one));
  const first = own.filter(({ isNew }) => isNew || used.length === 1).map(({ result }) => result);
  return [...first, ...rest].filter((one) => one !== undefined);
}
