// Custom resources that name Secrets in their own ways: their controllers wait for them, and say so nowhere that Flux looks.
import type { KubeObject, Source } from "../../tree/types.ts";
import type { Behaviour } from "./behaviour.ts";
import { secretKey } from "./keys.ts";
import { need, type Need } from "./step.ts";

/** Every `secretRef`, `secretKeyRef` and `{name, key}` of the spec, in its own namespace. */
export function secretReader(object: KubeObject, source: Source): Behaviour {
  const namespace = object.metadata.namespace ?? "";
  const needs = new Map<string, Need>();
  const add = (name: string) => {
    const key = secretKey(namespace, name);
    if (!needs.has(key)) needs.set(key, need(key, "wait", "reads %", source));
  };
  look(object.spec, add);
  return { needs: [...needs.values()] };
}

function look(node: unknown, found: (name: string) => void): void {
  if (Array.isArray(node)) for (const one of node) look(one, found);
  else if (node !== null && typeof node === "object")
    for (const [key, value] of Object.entries(node as Record<string, any>)) {
      const { name, key: field, optional } = (value ?? {}) as { name?: unknown; key?: unknown; optional?: boolean };
      const names = key === "secretRef" || (typeof field === "string" && !key.startsWith("configMap"));
      if (names && typeof name === "string" && name !== "" && optional !== true) found(name);
      else look(value, found);
    }
}
