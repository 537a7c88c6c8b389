// A chart's CustomResourceDefinitions as text, with the schemas of the real ones as far as they are known here.
import { stringify } from "yaml";
import { wholeDefinition } from "../cluster/definitions.ts";
import type { KubeObject } from "../cluster/state.ts";

/** In block style but for the schemas, which are JSON on one line: megabytes that nobody reads, and that would take seconds to lay out. */
export function definitionText(definition: KubeObject): string {
  const whole = wholeDefinition(definition);
  const schemas: string[] = [];
  const versions = whole.spec.versions.map(({ schema, ...version }: any) => ({
    ...version,
    schema: `SCHEMA-${schemas.push(JSON.stringify(schema)) - 1}`,
  }));
  const text = stringify({ ...whole, spec: { ...whole.spec, versions } });
  return text.replace(/SCHEMA-(\d+)/g, (_, at) => schemas[Number(at)]!);
}
