// What the API server fills in: the defaults that a custom resource's schema has for what was left out.
import { readFileSync } from "node:fs";
import type { KubeObject } from "./state.ts";
import { whenPresent } from "../../present.ts";

interface Schema {
  default?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
}

const known = new Map<string, Schema | undefined>();

function schemaOf({ apiVersion, kind }: KubeObject): Schema | undefined {
  const [group = "", version = ""] = apiVersion.split("/");
  const name = `${group}/${kind.toLowerCase()}_${version}.json`;
  if (!known.has(name)) {
    const file = new URL(`../../../../scripts/lint/schemas/crds/${name}`, import.meta.url);
    const text = whenPresent(() => readFileSync(file, "utf8"));
    known.set(name, text === undefined ? undefined : (JSON.parse(text) as Schema));
  }
  return known.get(name);
}

/** The object with its defaults; the same one where its kind has none, as those that are built in, whose defaults are no schema's. */
export function withDefaults<T extends KubeObject>(object: T): T {
  const { spec, status } = schemaOf(object)?.properties ?? {};
  return {
    ...object,
    ...(spec && object.spec !== undefined && { spec: filled(spec, object.spec) }),
    // a GatewayClass that nobody has looked at says so from the beginning
    ...(status?.default !== undefined && object.status === undefined && { status: structuredClone(status.default) }),
  };
}

function filled(schema: Schema, value: unknown): unknown {
  if (value === undefined) return structuredClone(schema.default);
  if (Array.isArray(value)) return schema.items ? value.map((one) => filled(schema.items!, one)) : value;
  if (value === null || typeof value !== "object") return value;
  const { properties = {}, additionalProperties } = schema;
  const others = typeof additionalProperties === "object" ? additionalProperties : {};
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) result[key] = filled(properties[key] ?? others, inner);
  // a default may itself have fields with defaults
  for (const [key, inner] of Object.entries(properties))
    if (!(key in result) && inner.default !== undefined) result[key] = filled(inner, structuredClone(inner.default));
  return result;
}
