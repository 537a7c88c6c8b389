// A chart's CustomResourceDefinitions as text, with the schemas of the real ones as far as they are known here.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { KubeObject } from "./cluster-store.ts";

const SCHEMAS = fileURLToPath(new URL("../../../scripts/lint/schemas/crds/", import.meta.url));

/** In block style but for the schemas, which are JSON on one line: megabytes that nobody reads. */
export function definitionText(definition: KubeObject): string {
  const { group, names } = definition.spec;
  const schemas: string[] = [];
  const versions = definition.spec.versions.map((version: any) => {
    const schema = schemaOf(group, names.kind, version.name);
    if (schema === undefined) return version;
    schemas.push(JSON.stringify(schema));
    const { status, spec } = schema.properties ?? {};
    return {
      ...version,
      ...(status && spec && { subresources: { status: {} } }),
      schema: { openAPIV3Schema: `SCHEMA-${schemas.length - 1}` },
    };
  });
  const text = stringify({ ...definition, spec: { ...definition.spec, versions } });
  return text.replace(/SCHEMA-(\d+)/g, (_, at) => schemas[Number(at)]!);
}

/** The schema of a kind in the API server's form: structural, so without `$schema` and without yes and no as additionalProperties. */
export function schemaOf(group: string, kind: string, version: string): any {
  const file = `${SCHEMAS}${group}/${kind.toLowerCase()}_${version}.json`;
  return existsSync(file) ? structural(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

function structural(value: any): any {
  if (Array.isArray(value)) return value.map(structural);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => key !== "$schema" && !(key === "additionalProperties" && typeof inner === "boolean"),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, structural(inner)]));
}
