// What Go's decoder says of values of another type than the field's: a list where a text stands, a word where a number does.
import type { TypeTree } from "../../../../scripts/lib/talos/patch-types.ts";
import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from "yaml";

export interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  oneOf?: Schema[];
  type?: string;
  $defs?: Record<string, Schema>;
  enum?: string[];
}

interface Place {
  minor: number;
  document: Document;
  /** The line of a node in the text of all documents. */
  line(node: Node): number;
  schema(of: Schema): { known: Schema; name: string };
}

const NUMBER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[0-9]+(?:\.0*)?)$/;
const BOOLEAN = /^(?:true|false|yes|no|on|off|y|n)$/i;

const TEXTS: Schema = { additionalProperties: { type: "string" } };
const ARGUMENTS: Schema = { additionalProperties: { oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] } };

/** The schema calls every map an object: what is in a map of texts is known from Talos' Go types. */
function mapOf(type: TypeTree | string | undefined, minor: number): Schema | undefined {
  if (typeof type !== "string") return undefined;
  if (type === "map") return TEXTS;
  return type.startsWith("args") ? (minor < 13 ? TEXTS : ARGUMENTS) : undefined;
}

/** A line for each value that does not fit; `types` are Talos' own for the same place. */
export function misfitsOf(place: Place, given: Node | null, of: Schema, types?: TypeTree | string): string[] {
  const at = given;
  const node = isAlias(given) ? (given.resolve(place.document) ?? null) : given;
  const { known, name } = place.schema(mapOf(types, place.minor) ?? of);
  if (node === null || isNothing(node)) return [];
  const cannot = (into: string) => {
    const what = isMap(node) ? "!!map" : isSeq(node) ? "!!seq" : `!!str \`${isScalar(node) ? (node.source ?? "") : ""}\``;
    return [`line ${place.line(at ?? node)}: cannot construct ${what} into ${into}`];
  };
  if (known.oneOf) {
    const fits = known.oneOf.some((one) => misfitsOf(place, node, one).length === 0);
    return fits ? [] : [`line ${place.line(at ?? node)}: arg value must be a string or list of strings`];
  }
  if (known.properties || typeof known.additionalProperties === "object") {
    if (!isMap(node)) return cannot(known.properties ? name : "map[string]string");
    return node.items.flatMap(({ key, value }) => {
      const type =
        known.properties?.[String(key)] ?? (typeof known.additionalProperties === "object" ? known.additionalProperties : undefined);
      const own = typeof types === "object" ? (types[String(key)] ?? types["*"]) : undefined;
      return type ? misfitsOf(place, value as Node | null, type, own) : []; // a merged map, or a key that is told elsewhere
    });
  }
  if (known.type === "array") {
    if (!isSeq(node)) return cannot(`[]${known.items?.type ?? "struct"}`);
    return node.items.flatMap((one) => misfitsOf(place, one as Node | null, known.items ?? {}, types));
  }
  if (known.type === "object") return isMap(node) ? [] : cannot("map[string]interface {}");
  if (known.type === undefined && !known.enum) return [];
  if (!isScalar(node)) return cannot(known.type === "integer" ? "int" : known.type === "boolean" ? "bool" : "string");
  const text = (node.source ?? "").replaceAll("_", "");
  if (known.type === "integer" && !(node.type === "PLAIN" && NUMBER.test(text))) return cannot("int");
  return known.type === "boolean" && !BOOLEAN.test(text) ? cannot("bool") : [];
}

const isNothing = (node: Node) => isScalar(node) && node.type === "PLAIN" && ["", "~", "null", "Null", "NULL"].includes(node.source ?? "");
