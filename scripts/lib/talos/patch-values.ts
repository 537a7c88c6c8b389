// How Talos compares the values of a patch: emptiness, types and equality.
import { kindOf, Plain } from "../text/go-scalar.ts";

export const isMap = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Plain);

/** Whether Talos treats the value of a patch as absent. */
export function isZero(value: unknown, rule: string): boolean {
  const text = value instanceof Plain ? value.text : value;
  if (text === "") return true;
  if (rule === "any") return goTypeOf(value) !== "a boolean" && Number(valueOf(value)) === 0 && typeof valueOf(value) === "number";
  if (rule !== "integer" && !rule.startsWith("zero:")) return false;
  return Number(valueOf(value)) === 0 || `zero:${String(text)}` === rule || /^0+(?:\.0+)?(?:ns|us|µs|ms|s|m|h)$/.test(String(text));
}

const valueOf = (value: unknown) => (value instanceof Plain ? value.value : value);
export const shapeOf = (value: unknown) => (Array.isArray(value) ? "a list" : isMap(value) ? "a map" : "a text");

export function goTypeOf(value: unknown): string {
  const kind = value instanceof Plain ? kindOf(value.text) : typeof value === "number" ? "int" : typeof value;
  return { int: "an integer", float: "a float", bool: "a boolean", boolean: "a boolean", time: "a time" }[kind as "int"] ?? "a text";
}

/** Compares `5`, `"5"` and a Plain `5` alike: in a field that holds texts they are. */
export function textsOf(value: unknown): unknown {
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, textsOf(one)]));
  return Array.isArray(value) ? value.map(textsOf) : value instanceof Plain ? value.text : String(value);
}
