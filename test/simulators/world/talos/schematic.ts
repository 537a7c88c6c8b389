// The factory's own reading of a schematic: strict about its fields, and the canonical YAML whose SHA-256 is its id. Written apart from the product's, so that one mistake is not made twice.
import { createHash } from "node:crypto";
import { parseAllDocuments } from "yaml";
import { decodeSchematic } from "./schematic-decode.ts";

interface Tree {
  [key: string]: any;
}

export interface Schematic {
  id: string;
  canonical: string;
  extensions: string[];
}

/** Reads a schematic as the factory does; its errors are texts of a 400. */
export function readSchematic(text: string): Schematic | { error: string } {
  const [document] = [...parseAllDocuments(text, { merge: true })]; // the factory reads no other
  if (document === undefined) return { error: "EOF" };
  const [problem] = document.errors;
  if (problem) return { error: `yaml: ${problem.message.split("\n")[0]}` };
  const decoded = decodeSchematic(document, text);
  if ("error" in decoded) return decoded;
  const tree: Tree = decoded.tree;
  if (tree.owner) return { error: "owner field is only supported in Enterprise edition" };
  if (Object.keys(tree.overlay?.options ?? {}).length > 0) return { error: "the simulated factory was not taught overlay.options" };
  const canonical = canonicalize(tree);
  return {
    id: createHash("sha256").update(canonical).digest("hex"),
    canonical,
    extensions: tree.customization?.systemExtensions?.officialExtensions ?? [],
  };
}

/** The YAML that Go writes of it: fields in the order of the struct, empty ones left out, four spaces. */
export function canonicalize({ overlay = {}, customization: c = {} }: Tree): string {
  const lines: string[] = [];
  if (overlay.image || overlay.name)
    lines.push("overlay:", `    image: ${scalar(overlay.image ?? "", 8)}`, `    name: ${scalar(overlay.name ?? "", 8)}`);
  const body: string[] = [];
  const list = (items: unknown[] | undefined, name: string, depth: number) => {
    if (!items?.length) return;
    const pad = " ".repeat(depth);
    body.push(`${pad}${name}:`, ...items.map((item) => `${pad}    - ${scalar(String(item), depth + 6)}`));
  };
  if (c.embeddedMachineConfiguration) body.push(`    embeddedMachineConfiguration: ${scalar(c.embeddedMachineConfiguration, 8)}`);
  list(c.extraKernelArgs, "extraKernelArgs", 4);
  if (c.meta?.length)
    body.push(
      "    meta:",
      ...c.meta.flatMap(({ key, value = "" }: Tree) => [`        - key: ${Number(key)}`, `          value: ${scalar(value, 12)}`]),
    );
  if (c.systemExtensions?.officialExtensions?.length) {
    body.push("    systemExtensions:");
    list(c.systemExtensions.officialExtensions, "officialExtensions", 8);
  }
  if (c.bootloader && c.bootloader !== "none") body.push(`    bootloader: ${c.bootloader}`);
  const secure = c.secureboot;
  if (secure?.enrollKeys || secure?.includeWellKnownCertificates) {
    body.push("    secureboot:");
    if (secure.enrollKeys) body.push(`        enrollKeys: ${scalar(secure.enrollKeys, 12)}`);
    if (secure.includeWellKnownCertificates) body.push("        includeWellKnownCertificates: true");
  }
  if (c.diskImage?.sectorSize) body.push("    diskImage:", `        sectorSize: ${c.diskImage.sectorSize}`);
  lines.push(...(body.length > 0 ? ["customization:", ...body] : ["customization: {}"]));
  return `${lines.join("\n")}\n`;
}

const WORDS_OF_1_1 = new Set("y Y yes Yes YES on On ON n N no No NO off Off OFF".split(" "));
const NO_STRINGS = new Set([
  "true",
  "True",
  "TRUE",
  "false",
  "False",
  "FALSE",
  "",
  "~",
  "null",
  "Null",
  "NULL",
  ".nan",
  ".NaN",
  ".NAN",
  ".inf",
  ".Inf",
  ".INF",
  "+.inf",
  "-.inf",
]);
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const NUMBER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|\.[0-9]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?$/;

const doubleQuoted = (text: string) =>
  JSON.stringify(text).replaceAll(/\\u00([0-9a-f]{2})/g, (_, hex: string) => `\\x${hex.toUpperCase()}`);
const singleQuoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** How Go quotes a text in YAML (go-yaml of factory 1.5). */
function scalar(text: string, indent: number): string {
  if (text.includes("\n")) return block(text, indent);
  if (WORDS_OF_1_1.has(text) || BASE_60.test(text) || text === "<<") return singleQuoted(text);
  if (NO_STRINGS.has(text) || NUMBER.test(text.replaceAll("_", "")) || DATE.test(text)) return doubleQuoted(text);
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) return doubleQuoted(text);
  const needs =
    /^(---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](\s|$)/.test(text) ||
    /:(\s|$)/.test(text.slice(1)) ||
    /\s#/.test(text) ||
    /^ | $/.test(text);
  return needs ? singleQuoted(text) : text;
}

function block(text: string, indent: number): string {
  // eslint-disable-next-line no-control-regex
  if (/ $| \n|[\x00-\x08\x0b-\x1f\x7f]/.test(text) || !/\S/.test(text)) return doubleQuoted(text);
  const chomp = !text.endsWith("\n") ? "-" : text.endsWith("\n\n") ? "+" : "";
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return `|${text.startsWith(" ") ? "4" : ""}${chomp}\n${lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n")}`;
}
