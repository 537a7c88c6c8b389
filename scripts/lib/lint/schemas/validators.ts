// One schema for each kind, read when the first object of that kind comes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "../../tree/types.ts";
import { faultsOf, regExpOf, type Schema, type SchemaFault } from "./check.ts";
import { SCHEMAS, schemaPath } from "./find.ts";
import { whenPresentNow } from "../../run/files.ts";

export interface Validators {
  /** What is wrong with an object by its schema; undefined for a kind that has none. */
  faults(object: KubeObject): SchemaFault[] | undefined;
  /** Patterns of the schemas in use that JavaScript cannot read: nothing was checked against these. */
  unreadable(): { schema: string; pattern: string }[];
}

/** The schemas of one Kubernetes version and of all custom kinds. */
export function openValidators(kubernetes: string): Validators {
  const known = new Map<string, Schema | undefined>();
  const of = (object: KubeObject): Schema | undefined => {
    const path = schemaPath(object, kubernetes);
    if (!known.has(path)) {
      const text = whenPresentNow(() => readFileSync(join(SCHEMAS, path), "utf8"));
      known.set(path, text === undefined ? undefined : (JSON.parse(text) as Schema));
    }
    return known.get(path);
  };
  return {
    faults(object) {
      const schema = of(object);
      return schema && faultsOf(schema, object);
    },
    unreadable: () =>
      [...known].flatMap(([path, schema]) =>
        patternsOf(schema)
          .filter((pattern) => regExpOf(pattern) === undefined)
          .map((pattern) => ({ schema: path, pattern })),
      ),
  };
}

/** Every pattern of a schema, each once. */
export function patternsOf(schema: unknown): string[] {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, one] of Object.entries(value)) {
      if (key === "pattern" && typeof one === "string") found.add(one);
      else walk(one);
    }
  };
  walk(schema);
  return [...found];
}
