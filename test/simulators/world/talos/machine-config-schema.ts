// What a minor version of Talos knows of machine configs: kinds of documents and their keys, by its own schemas.
import { readFileSync } from "node:fs";
import type { TypeTree } from "../../../../scripts/lib/talos/patch-types.ts";
import type { Schema } from "./machine-config-types.ts";

/** The schemas of Talos, by minor version. Newer versions are read as the newest that is here. */
const SCHEMAS = ["v1.11.6", "v1.12.11", "v1.13.9", "v1.14.0-rc.1"];
const OLDEST = 11;
/** Kinds that Talos has and its schema lacks, since when. */
const UNLISTED: Record<string, number> = { KubeSpanEndpointsConfig: 11, ImageVerificationConfig: 13, UnattendedInstallConfig: 14 };

interface Known {
  defs: Record<string, Schema>;
  kinds: Record<string, Schema>;
}
const known = new Map<number, Known>();

/** What a minor version knows. A schema leaves out deprecated fields, which Talos still takes: they come from the schemas before it. */
export function knownTo(minor: number): Known {
  const count = Math.min(Math.max(minor - OLDEST + 1, 1), SCHEMAS.length);
  const had = known.get(count);
  if (had) return had;
  const defs: Record<string, Schema> = {};
  for (const version of SCHEMAS.slice(0, count)) {
    const file = new URL(`../../../schemas/talos/${version}.json`, import.meta.url);
    for (const [name, schema] of Object.entries((JSON.parse(readFileSync(file, "utf8")) as Schema).$defs!))
      defs[name] = { ...schema, ...(schema.properties && { properties: { ...defs[name]?.properties, ...schema.properties } }) };
  }
  const listed = Object.values(defs).flatMap((schema) => (schema.properties?.kind?.enum ?? []).map((kind) => [kind, schema] as const));
  const unlisted = Object.entries(UNLISTED).flatMap(([kind, since]) => (minor >= since ? [[kind, {}] as const] : []));
  const made = { defs, kinds: Object.fromEntries<Schema>([...listed, ...unlisted]) };
  known.set(count, made);
  return made;
}

export const resolve = (defs: Record<string, Schema>, schema: Schema) => {
  const name = schema.$ref?.replace("#/$defs/", "") ?? "struct";
  return { known: schema.$ref ? (defs[name] ?? {}) : schema, name };
};

/** The keys that a schema does not know, as a tree; undefined when there is none. `persist` is old and still taken. */
export function unknownKeys(value: unknown, schema: Schema | undefined, defs: Record<string, Schema>, types?: TypeTree | string): unknown {
  const { known } = resolve(defs, schema ?? {});
  if (value === null || typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    const found = value.map((one) => unknownKeys(one, known.items, defs, types)).filter((one) => one !== undefined);
    return found.length > 0 ? found : undefined;
  }
  if (!known.properties) return undefined;
  const found = Object.entries(value).flatMap(([key, inner]) => {
    if (key === "persist") return [];
    const next = known.properties?.[key];
    const own = typeof types === "object" ? (types[key] ?? types["*"]) : undefined;
    if (!next && own !== undefined) return []; // deprecated before the oldest schema
    if (!next) return known.additionalProperties === false ? [[key, inner] as const] : [];
    const deeper = unknownKeys(inner, next, defs, own);
    return deeper === undefined ? [] : [[key, deeper] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
