// Removes fields of the wrong type, so that the rules and the simulation can rely on the type that the schema gives each field.
import type { SchemaFault } from "./schemas/check.ts";
import type { Validators } from "./schemas/validators.ts";
import { copy } from "../tree/kustomize/fields.ts";
import type { KubeObject, Located, Tree } from "../tree/types.ts";

export interface Checked {
  located: Located;
  /** Undefined for a kind without a schema. */
  faults: SchemaFault[] | undefined;
}

/** Checks every object of a tree. Returns the results, and the tree without the fields that have the wrong type; the given tree is not changed. */
export function removeWrongTypes<T extends Pick<Tree, "kustomizations" | "bootstrap">>(
  tree: T,
  validators: Validators,
): { tree: T; checked: Checked[] } {
  const checked: Checked[] = [];
  const look = (located: Located): Located => {
    const faults = validators.faults(located.object);
    checked.push({ located, faults });
    const paths = (faults ?? []).filter(isWrongType).map(({ path }) => path);
    return paths.length === 0 ? located : { ...located, object: without(located.object, paths) };
  };
  return {
    tree: {
      ...tree,
      kustomizations: tree.kustomizations.map((one) => ({ ...one, built: one.built.map(look) })),
      bootstrap: { ...tree.bootstrap, objects: tree.bootstrap.objects.map(look) },
    },
    checked,
  };
}

const isWrongType = ({ message, path }: SchemaFault) =>
  path.length > 0 && /^must be (array|boolean|integer|null|number|object|string)( or |$)/.test(message);

function without(object: KubeObject, paths: readonly (string | number)[][]): KubeObject {
  const result = copy(object);
  for (const path of [...paths].sort((a, b) => b.length - a.length)) {
    const holder = path.slice(0, -1).reduce<unknown>((one, key) => (one as Record<string | number, unknown> | undefined)?.[key], result);
    const last = path.at(-1)!;
    if (Array.isArray(holder)) holder[Number(last)] = undefined;
    else if (typeof holder === "object" && holder !== null) delete (holder as Record<string, unknown>)[last];
  }
  return dense(result) as KubeObject;
}

/** The value without the list entries that were removed. */
function dense(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(dense);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, dense(one)]));
}
