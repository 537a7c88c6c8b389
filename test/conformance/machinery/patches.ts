// Patches that people could write, made by seed from Talos' schemas: odd scalars, keys without a value, lists, anchors, merge keys and deletes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { random } from "../random.ts";
import type { Minor } from "./ask.ts";

interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
}
type Pick = (below: number) => number;

const FILES: Record<Minor, string> = { 12: "v1.12.11", 13: "v1.13.9", 14: "v1.14.0-rc.1" };
const schemas = new Map<Minor, Schema>();
function schemaOf(minor: Minor): Schema {
  let schema = schemas.get(minor);
  if (!schema) schemas.set(minor, (schema = JSON.parse(readFileSync(schemaFile(minor), "utf8")) as Schema));
  return schema;
}
export const schemaFile = (minor: Minor) => join(import.meta.dirname, `../../schemas/talos/${FILES[minor]}.json`);

/** How people write scalars; the plain ones are read by their spelling. */
const TEXTS = [
  "some-text",
  '"0"',
  "0644",
  "1.10",
  "yes",
  '""',
  "",
  "~",
  "True",
  "12:30",
  "2024-01-01",
  "'# no comment'",
  "1_000",
  "0x1F",
  "no",
];
const INTEGERS = ["0", "1", "9000", "0644", "0o17", "0x10", "1_000", "", "+5", '"7"'];
const BOOLEANS = ["true", "false", "True", "yes", "off", ""];
/** Texts that Talos parses further. */
const KNOWN: [name: RegExp, texts: string[]][] = [
  [/subnet|cidr|addresses|network$/i, ["10.0.0.0/8", "192.0.2.0/24"]],
  [/^(url|endpoint|urls)$/i, ["https://192.0.2.1:6443"]],
  [/address|gateway|nameserver/i, ["192.0.2.7"]],
  [/interval|timeout|lifetime/i, ["30s", "0s", "1m"]],
  [/size$/i, ["10GiB", "1TB"]],
  [/^(match|.*expression)$/i, ["'true'", "'1 == 1'"]],
];

/** One patch as text, always the same for a seed. `base` is what it is written for: deletes are about paths of it. */
export function patchOf(minor: Minor, seed: number, base: readonly Record<string, unknown>[]): string {
  const pick = random(seed * 2654435761);
  pick(2);
  if (pick(4) === 0) return deleteFrom(base, pick);
  const schema = schemaOf(minor);
  const writer: Writer = { pick, schema, anchors: [] };
  const documents = pick(8) === 0 ? 2 : 1;
  return Array.from({ length: documents }, (_, index) => documentOf(writer, index, base)).join("---\n");
}

interface Writer {
  pick: Pick;
  schema: Schema;
  /** Names of maps of texts and lists of texts that an alias can point to. */
  anchors: { name: string; kind: string }[];
}

const resolve = ({ schema }: Writer, one: Schema | undefined): Schema =>
  one?.$ref ? (schema.$defs![one.$ref.replace("#/$defs/", "")] ?? {}) : (one ?? {});

function documentOf(writer: Writer, index: number, base: readonly Record<string, unknown>[]): string {
  const { pick, schema } = writer;
  writer.anchors.length = 0;
  const main = schema.$defs!["v1alpha1.Config"]!;
  if (index === 0 && pick(10) < 6) return mapOf(writer, main, "", 0, ["machine", "cluster"]);
  const others = base.filter(({ kind }) => kind !== undefined);
  const known = others[pick(others.length)]!;
  const type = Object.values(schema.$defs!).find(({ properties }) => properties?.kind?.enum?.includes(String(known.kind)));
  const name = known.name === undefined ? "" : `name: ${JSON.stringify(known.name)}\n`;
  const body = type ? mapOf(writer, type, "", 0, undefined, ["apiVersion", "kind", "name"]) : "";
  return `apiVersion: v1alpha1\nkind: ${String(known.kind)}\n${name}${body}`;
}

/** Some fields of a struct, in block style. */
function mapOf(writer: Writer, type: Schema, path: string, depth: number, only?: string[], not: string[] = []): string {
  const { pick } = writer;
  const names = Object.keys(type.properties ?? {}).filter((name) => (only?.includes(name) ?? true) && !not.includes(name));
  if (names.length === 0) return "";
  const chosen = new Set(Array.from({ length: 1 + pick(3) }, () => names[pick(names.length)]!));
  return [...chosen].map((name) => fieldOf(writer, name, resolve(writer, type.properties![name]), `${path}.${name}`, depth)).join("");
}

function fieldOf(writer: Writer, name: string, type: Schema, path: string, depth: number): string {
  const { pick } = writer;
  const indent = "  ".repeat(depth);
  if (pick(12) === 0) return `${indent}${name}:\n`;
  if (type.properties) {
    const inner = mapOf(writer, type, path, depth + 1);
    return inner ? `${indent}${name}:\n${inner}` : `${indent}${name}: {}\n`;
  }
  if (type.type === "array" || type.items) return `${indent}${name}:${listOf(writer, resolve(writer, type.items), name, path, depth)}`;
  if (type.type === "object" || typeof type.additionalProperties === "object")
    return `${indent}${name}:${textsOf(writer, type, name, depth)}`;
  return `${indent}${name}: ${scalarOf(writer, type, name)}\n`;
}

function listOf(writer: Writer, items: Schema, name: string, path: string, depth: number): string {
  const { pick, anchors } = writer;
  const indent = "  ".repeat(depth + 1);
  if (items.properties)
    return `\n${Array.from({ length: 1 + pick(2) }, () => {
      const inner = mapOf(writer, items, path, depth + 2);
      return inner ? `${indent}- ${inner.trimStart()}` : `${indent}- {}\n`;
    }).join("")}`;
  const known = anchors.filter(({ kind }) => kind === "list");
  if (known.length > 0 && pick(2) === 0) return ` *${known[pick(known.length)]!.name}\n`;
  if (pick(8) === 0) return " []\n";
  const values = Array.from({ length: 1 + pick(3) }, () => scalarOf(writer, items, name) || "null");
  if (pick(3) === 0) return ` [${values.map((value) => (/^[~"']|^[\w.:/-]+$/.test(value) ? value : `"${value}"`)).join(", ")}]\n`;
  return `${anchor(writer, "list")}\n${values.map((value) => `${indent}- ${value}\n`).join("")}`;
}

/** A map whose keys are free: of texts, or of anything. */
function textsOf(writer: Writer, type: Schema, name: string, depth: number): string {
  const { pick, anchors } = writer;
  const indent = "  ".repeat(depth + 1);
  const values = resolve(writer, typeof type.additionalProperties === "object" ? type.additionalProperties : undefined);
  if (values.properties) return `\n${indent}some.key:\n${mapOf(writer, values, name, depth + 2) || `${indent}  {}\n`}`;
  const known = anchors.filter(({ kind }) => kind === "map");
  const merged = known.length > 0 && pick(2) === 0 ? `${indent}<<: *${known[pick(known.length)]!.name}\n` : "";
  const keys = ["net.core.somaxconn", "vm.nr_hugepages", "some.key", '"0644"', "yes"];
  const chosen = new Set(Array.from({ length: 1 + pick(3) }, () => keys[pick(keys.length)]!));
  return `${merged ? "" : anchor(writer, "map")}\n${merged}${[...chosen].map((key) => `${indent}${key}: ${scalarOf(writer, values, name)}\n`).join("")}`;
}

function anchor({ pick, anchors }: Writer, kind: string): string {
  if (pick(3) > 0) return "";
  const name = `a${anchors.length}`;
  anchors.push({ name, kind });
  return ` &${name}`;
}

function scalarOf({ pick }: Writer, type: Schema, name: string): string {
  const from = (words: readonly string[]) => words[pick(words.length)]!;
  if (type.enum) return pick(6) === 0 ? "" : from(type.enum);
  if (type.type === "integer") return from(INTEGERS);
  if (type.type === "boolean") return from(BOOLEANS);
  const known = KNOWN.find(([pattern]) => pattern.test(name));
  return known && (pick(6) > 0 || known[1][0]!.startsWith("http")) ? from(known[1]) : from(TEXTS);
}

/** A patch that deletes a document, a field, or an item of a list, mostly one that is there. */
function deleteFrom(base: readonly Record<string, unknown>[], pick: Pick): string {
  const document = base[pick(3) === 0 ? pick(base.length) : 0]!;
  const head = ["apiVersion", "kind", "name"].flatMap((key) =>
    document[key] === undefined ? [] : `${key}: ${JSON.stringify(document[key])}\n`,
  );
  if (document.kind !== undefined && pick(3) === 0) return `${head.join("")}$patch: delete\n`;
  const lines: string[] = [];
  let at: unknown = document;
  for (let depth = 0; ; depth += 1) {
    const indent = "  ".repeat(depth);
    if (Array.isArray(at)) {
      const items = at.filter((one) => typeof one === "object" && one !== null) as object[];
      const [key, value] = Object.entries(items[pick(items.length || 1)] ?? {})[0] ?? [];
      if (key === undefined || typeof value === "object") lines.push(`${indent}$patch: delete\n`);
      else lines.push(`${indent}- ${key}: ${JSON.stringify(pick(6) === 0 ? "another" : value)}\n${indent}  $patch: delete\n`);
      break;
    }
    const names = Object.keys(at as object).filter((key) => !["apiVersion", "kind", "name", "version"].includes(key));
    if (typeof at !== "object" || at === null || names.length === 0 || depth > 4 || (depth > 0 && pick(3) === 0)) {
      lines.push(`${indent}$patch: delete\n`);
      break;
    }
    const name = pick(10) === 0 ? "missing" : names[pick(names.length)]!;
    lines.push(`${indent}${name}:\n`);
    at = (at as Record<string, unknown>)[name] ?? {};
    if (typeof at !== "object") at = {};
  }
  return `${head.join("")}${lines.join("")}`;
}
