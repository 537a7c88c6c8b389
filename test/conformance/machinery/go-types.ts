// The Go types of every kind of document that one version of Talos knows.
import { readFileSync } from "node:fs";
import { machinery, type MachineryRequest, type Minor } from "./ask.ts";
import type { GoTypes } from "./patch-types.ts";
import { schemaFile } from "./patches.ts";

/** The types of the kinds that a schema or the table names; a kind that this version does not know has none. */
export function goTypes(minor: Minor, table: Record<string, unknown>): GoTypes {
  const named = [...readFileSync(schemaFile(minor), "utf8").matchAll(/"kind": \{\s*"enum": \[\s*"(\w+)"/g)].map(([, kind]) => kind!);
  const kinds = [...new Set([...named, ...Object.keys(table)])].filter((kind) => kind !== "v1alpha1");
  const requests = kinds.flatMap((kind): MachineryRequest[] => {
    const config = `apiVersion: v1alpha1\nkind: ${kind}\n`;
    return [
      { do: "types", config },
      { do: "types", config: `${config}name: x\n` },
    ]; // some kinds have no name
  });
  const answers = machinery(minor, [{ do: "types", config: "version: v1alpha1\nmachine: {}\n" }, ...requests]);
  return Object.assign({}, ...answers.map(({ types }) => types)) as GoTypes;
}
