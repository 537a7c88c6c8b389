// How Go decodes a schematic: strict about fields and their types. Written apart from the product's reading, so that one mistake is not made twice.
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";

/** Fields of the schematic by their Go types, as a tree; a list has one tree for all its entries. */
const FIELDS: Types = {
  owner: "string",
  overlay: { image: "string", name: "string", options: "any" },
  customization: {
    embeddedMachineConfiguration: "string",
    extraKernelArgs: ["string"],
    meta: [{ key: "uint8", value: "string" }],
    systemExtensions: { officialExtensions: ["string"] },
    bootloader: "BootloaderKind",
    secureboot: { enrollKeys: "string", includeWellKnownCertificates: "bool" },
    diskImage: { sectorSize: "uint" },
  },
};
type Types = string | [Types] | { [name: string]: Types };

class Misfit extends Error {
  readonly node: Node | null;
  constructor(node: Node | null, message: string) {
    super(message);
    this.node = node;
  }
}

/** The fields by their Go types; what does not fit is the error of Go's decoder. */
export function decodeSchematic(document: Document, text: string): { tree: Record<string, unknown> } | { error: string } {
  const line = (node: Node | null) => text.slice(0, node?.range?.[0] ?? 0).split("\n").length;
  try {
    return { tree: decode(document, document.contents, FIELDS) as Record<string, unknown> };
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { error: `yaml: construct errors: line ${line(error.node)}: ${error.message}` };
  }
}

/** A node as the Go type reads it; what has no value is the type's zero. */
function decode(document: Document, given: Node | null, type: Types, at: Node | null = given): unknown {
  const node = isAlias(given) ? (given.resolve(document) ?? null) : given;
  const empty = isEmpty(document, node);
  if (type === "any") return empty ? undefined : document.createNode(node).toJS(document);
  if (Array.isArray(type)) {
    if (empty) return [];
    if (!isSeq(node)) throw new Misfit(at, `cannot construct ${tagOf(node)} into []${nameOf(type[0])}`);
    return node.items.filter((one) => !isEmpty(document, one as Node)).map((one) => decode(document, one as Node, type[0]));
  }
  if (typeof type === "object") {
    if (empty) return {};
    if (!isMap(node)) throw new Misfit(at, `cannot construct ${tagOf(node)} into schematic.${nameOf(type)}`);
    const merged = node.items.flatMap((pair) => (String(pair.key) === "<<" ? mergedPairs(document, pair.value as Node) : []));
    const own = node.items.filter(({ key }) => String(key) !== "<<");
    const pairs = [...merged.filter(({ key }) => !own.some((one) => String(one.key) === String(key))), ...own];
    return Object.fromEntries(
      pairs.map(({ key, value }) => {
        if (!Object.hasOwn(type, String(key))) throw new Misfit(key as Node, `field ${String(key)} not found in type schematic.Schematic`);
        return [String(key), decode(document, value as Node | null, type[String(key)]!, key as Node)];
      }),
    );
  }
  if (!empty && !isScalar(node)) throw new Misfit(at, `cannot construct ${tagOf(node)} into ${type}`);
  return scalarOf(empty ? undefined : (node as Scalar), type, at);
}

/** No value, which in a list counts as no entry. */
function isEmpty(document: Document, given: Node | null): boolean {
  const node = isAlias(given) ? (given.resolve(document) ?? null) : given;
  return node === null || (isScalar(node) && node.type === "PLAIN" && ["", "~", "null", "Null", "NULL"].includes(node.source ?? ""));
}

function mergedPairs(document: Document, value: Node): { key: unknown; value: unknown }[] {
  const source = isAlias(value) ? value.resolve(document) : value;
  if (isSeq(source)) return source.items.flatMap((one) => mergedPairs(document, one as Node));
  return isMap(source) ? source.items : [];
}

/** One scalar: its spelling for a text, a number by Go's rules (a leading zero is octal). */
function scalarOf(node: Scalar | undefined, type: string, at: Node | null): unknown {
  const text = node?.source ?? "";
  const plain = node?.type === "PLAIN";
  const cannot = () => new Misfit(at, `cannot construct !!${plain ? "scalar" : "str"} \`${text}\` into ${type}`);
  if (type === "string" && plain && /^\d{4}-\d\d?-\d\d?([Tt ].*)?$/.test(text))
    throw new Misfit(at, `cannot construct !!timestamp \`${text}\` into string`);
  if (type === "string") return node === undefined ? "" : text;
  if (type === "BootloaderKind") {
    if (node === undefined) return "none";
    if (["none", "dual-boot", "sd-boot", "grub"].includes(text.toLowerCase())) return text.toLowerCase();
    throw new Misfit(at, `${text} does not belong to BootloaderKind values`);
  }
  if (node === undefined) return type === "bool" ? false : 0;
  if (type === "bool") {
    if (/^(true|yes|on|y)$/i.test(text) && plain) return true;
    if (/^(false|no|off|n)$/i.test(text) && plain) return false;
    throw cannot();
  }
  const digits = text.replaceAll("_", "").replace(/^\+/, "");
  const number = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  if (!plain || digits === "" || !Number.isInteger(number) || number < 0 || (type === "uint8" && number > 255)) throw cannot();
  return number;
}

const tagOf = (node: unknown) => (isMap(node) ? "!!map" : isSeq(node) ? "!!seq" : "!!str");
const nameOf = (type: Types) => (typeof type === "string" ? type : "Schematic");
