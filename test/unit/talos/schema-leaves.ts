// The values that Talos' schema of its machine config allows: every path that ends in one, by kind of document.

interface Schema {
  $ref?: string;
  enum?: unknown[];
  type?: string | string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
}

export interface Leaf {
  kind: string;
  /** `*` is any one key, `[]` any item of a list. */
  path: string;
  /** Whether it is a text or may hold anything. Numbers, booleans and values out of a fixed list cannot hold a secret. */
  holdsText: boolean;
}

/** Every value of every document of the schema. */
export function leavesOf({ oneOf, $defs }: { oneOf: { $ref: string }[]; $defs: Record<string, Schema> }): Leaf[] {
  const leaves: Leaf[] = [];
  const named = ({ $ref }: Schema) => $defs[$ref!.split("/").at(-1)!]!;
  const walk = (kind: string, keys: string[], schema: Schema): void => {
    if (schema.$ref !== undefined) return walk(kind, keys, named(schema));
    const { properties = {}, patternProperties = {}, additionalProperties: more, items } = schema;
    const inner: [string, Schema][] = [
      ...Object.entries(properties),
      ...Object.values(patternProperties).map((one): [string, Schema] => ["*", one]),
      ...(typeof more === "object" ? [["*", more] as [string, Schema]] : []),
      ...(items ? [["[]", items] as [string, Schema]] : []),
    ];
    const choices = schema.oneOf ?? schema.anyOf ?? [];
    for (const choice of choices) walk(kind, keys, choice);
    for (const [key, one] of inner) walk(kind, [...keys, key], one);
    if (choices.length + inner.length > 0) return;
    const holdsText = schema.enum === undefined && ![schema.type].flat().every((type) => /^(?:integer|number|boolean)$/.test(String(type)));
    leaves.push({ kind, path: keys.join("."), holdsText });
  };
  for (const one of oneOf) {
    const document = named(one);
    walk(String(document.properties?.kind?.enum?.[0] ?? "v1alpha1"), [], document);
  }
  return leaves;
}
