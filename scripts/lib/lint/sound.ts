// The same objects without what has the wrong type: rules and the simulation may then take every field that is there for what its schema says.
import type { SchemaFault } from "./schemas/check.ts";
import type { Validators } from "./schemas/validators.ts";
import { copy } from "../tree/kustomize/fields.ts";
import type { KubeObject, Located, Tree } from "../tree/types.ts";

export interface Checked {
  located: Located;
  /** Undefined for a kind without a schema. */
  faults: SchemaFault[] | undefined;
}

/** Checks every object of a tree, and puts a sound copy in the place of one that is not. */
export function makeSound(tree: Pick<Tree, "kustomizations" | "bootstrap">, validators: Validators): Checked[] {
  const checked: Checked[] = [];
  const look = (located: Located): Located => {
    const faults = validators.faults(located.object);
    checked.push({ located, faults });
    const wrong =
      faults?.filter(
        ({ message, path }) => /^must be (array|boolean|integer|null|number|object|string)( or |$)/.test(message) && path.length > 0,
      ) ?? [];
    return wrong.length === 0
      ? located
      : {
          ...located,
          object: without(
            located.object,
            wrong.map(({ path }) => path),
          ),
        };
  };
  for (const one of tree.kustomizations) one.built = one.built.map(look);
  tree.bootstrap.objects = tree.bootstrap.objects.map(look);
  return checked;
}

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

/** Lists without the places that were emptied. */
function dense(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(dense);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, dense(one)]));
}
