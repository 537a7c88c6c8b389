// The definitions of custom resources as a real API server and real charts take them: the kinds of the charts' table, with the schemas that manifests are linted against.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "./state.ts";
import { whenPresent } from "../../present.ts";

const SCHEMAS = fileURLToPath(new URL("../../../../scripts/lint/schemas/crds/", import.meta.url));

/** What a kind without a schema file gets: everything is kept. */
const ANYTHING = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

type Schema = { [keyword: string]: any };

/** A definition of the charts' table as a real one: every version with its schema, the status subresource and kubectl's columns. */
export function wholeDefinition(small: KubeObject): KubeObject {
  const { group, names, versions } = small.spec;
  const columns = COLUMNS[`${names.plural}.${group}`];
  return {
    ...small,
    spec: {
      ...small.spec,
      versions: versions.map((version: { name: string }) => ({
        ...version,
        schema: { openAPIV3Schema: schemaOf(group, names.kind, version.name) },
        subresources: { status: {} },
        ...(columns && { additionalPrinterColumns: columns.map((name) => PRINTED[name]) }),
      })),
    },
  };
}

const cached = new Map<string, Schema>();

/** A spec without what its kind says by itself: in a list that is one whole to the API server, defaults cannot be told from what was stated. Nor are empty lists kept everywhere. */
export function withoutDefaults({ apiVersion, kind, spec }: KubeObject): unknown {
  const [group = "", version = ""] = apiVersion.split("/");
  const key = `${apiVersion} ${kind}`;
  const schema = cached.get(key) ?? schemaOf(group, kind, version);
  cached.set(key, schema);
  return strip(spec, schema.properties?.spec);
}

function strip(value: any, schema: Schema | undefined): any {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((one) => strip(one, schema?.items));
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const { [name]: own = schema?.additionalProperties } = schema?.properties ?? {};
    const of: Schema | undefined = own;
    if (Array.isArray(inner) && inner.length === 0) return [];
    const rest = strip(inner, of);
    return of?.default !== undefined && isDeepStrictEqual(rest, strip(of.default, of)) ? [] : [[name, rest] as const];
  });
  return Object.fromEntries(kept);
}

function schemaOf(group: string, kind: string, version: string): Schema {
  const file = `${SCHEMAS}${group}/${kind.toLowerCase()}_${version}.json`;
  const text = whenPresent(() => readFileSync(file, "utf8"));
  if (text === undefined) return ANYTHING;
  const { properties } = structural(JSON.parse(text));
  return {
    type: "object",
    properties: { ...properties, apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { type: "object" } },
  };
}

/** Of a schema what a definition may hold: JSON Schema's own words go, a value that may be anything is said so. */
function structural(schema: Schema): Schema {
  const { $schema: _, additionalProperties, patternProperties, properties, items, type, ...rest } = schema;
  const result: Schema = { ...rest };
  if (Array.isArray(type)) result["x-kubernetes-int-or-string"] = true;
  else if (type !== undefined) result.type = type;
  if (properties)
    result.properties = Object.fromEntries(Object.entries<Schema>(properties).map(([name, inner]) => [name, structural(inner)]));
  if (items) result.items = structural(items);
  if (additionalProperties !== null && typeof additionalProperties === "object")
    result.additionalProperties = structural(additionalProperties);
  const keeps = result["x-kubernetes-preserve-unknown-fields"] || result["x-kubernetes-int-or-string"];
  if (patternProperties || (result.type === undefined && !keeps)) result["x-kubernetes-preserve-unknown-fields"] = true;
  // beside a list of keys additionalProperties are forbidden
  if (result.properties) delete result.additionalProperties;
  return result;
}

const PRINTED: Record<string, object> = {
  url: { name: "URL", type: "string", jsonPath: ".spec.url" },
  age: { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ready: { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  status: { name: "Status", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
};

/** The columns of those kinds that the stand-in of kubectl prints as a table. */
const COLUMNS: Record<string, string[]> = {
  "kustomizations.kustomize.toolkit.fluxcd.io": ["age", "ready", "status"],
  "helmreleases.helm.toolkit.fluxcd.io": ["age", "ready", "status"],
  "gitrepositories.source.toolkit.fluxcd.io": ["url", "age", "ready", "status"],
  "ocirepositories.source.toolkit.fluxcd.io": ["url", "ready", "status", "age"],
};
