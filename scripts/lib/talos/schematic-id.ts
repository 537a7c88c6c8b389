// The ID that the image factory gives a schematic: the SHA-256 of the YAML that Go writes of it. Predicting it here lets everything be planned, and compared, without the factory.
import { createHash } from "node:crypto";
import { kindOf, OLD_WORDS } from "../text/go-scalar.ts";

/** What a schematic may say, in the order in which Go writes it: the order is part of the ID. */
export interface Schematic {
  owner?: string;
  overlay?: { image?: string; name?: string; options?: Record<string, unknown> };
  customization?: {
    embeddedMachineConfiguration?: string;
    extraKernelArgs?: string[];
    meta?: { key: number; value?: string }[];
    systemExtensions?: { officialExtensions?: string[] };
    bootloader?: "none" | "dual-boot" | "sd-boot" | "grub";
    secureboot?: { enrollKeys?: string; includeWellKnownCertificates?: boolean };
    diskImage?: { sectorSize?: number };
  };
}

export const idOf = (canonical: string) => createHash("sha256").update(canonical).digest("hex");

/** Go's YAML of a schematic. Throws for the few contents whose form depends on the factory's version: only the factory knows their ID. */
export function canonical({ owner, overlay, customization: c = {} }: Schematic): string {
  if (Object.keys(overlay?.options ?? {}).length > 0) throw new Error("overlay.options: ask the factory, its ID cannot be predicted");
  const body = [
    ...field(4, "embeddedMachineConfiguration", c.embeddedMachineConfiguration),
    ...list(4, "extraKernelArgs", c.extraKernelArgs),
    ...(c.meta?.length
      ? [
          "    meta:",
          ...c.meta.flatMap(({ key, value = "" }) => [`        - key: ${Number(key)}`, `          value: ${scalar(value, 12)}`]),
        ]
      : []),
    ...section("systemExtensions", list(8, "officialExtensions", c.systemExtensions?.officialExtensions)),
    ...(c.bootloader && c.bootloader !== "none" ? [`    bootloader: ${c.bootloader}`] : []),
    ...section("secureboot", [
      ...field(8, "enrollKeys", c.secureboot?.enrollKeys),
      ...(c.secureboot?.includeWellKnownCertificates ? ["        includeWellKnownCertificates: true"] : []),
    ]),
    ...section("diskImage", c.diskImage?.sectorSize ? [`        sectorSize: ${c.diskImage.sectorSize}`] : []),
  ];
  const lines = [
    ...field(0, "owner", owner),
    ...(overlay?.image || overlay?.name
      ? ["overlay:", `    image: ${scalar(overlay.image ?? "", 8)}`, `    name: ${scalar(overlay.name ?? "", 8)}`]
      : []),
    ...(body.length > 0 ? ["customization:", ...body] : ["customization: {}"]),
  ];
  return `${lines.join("\n")}\n`;
}

const field = (indent: number, name: string, value: string | undefined) =>
  value ? [`${" ".repeat(indent)}${name}: ${scalar(value, indent + 4)}`] : [];
const list = (indent: number, name: string, values: string[] | undefined) =>
  values?.length
    ? [`${" ".repeat(indent)}${name}:`, ...values.map((value) => `${" ".repeat(indent + 4)}- ${scalar(value, indent + 6)}`)]
    : [];
const section = (name: string, lines: string[]) => (lines.length > 0 ? [`    ${name}:`, ...lines] : []);

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const NEEDS_QUOTES = /^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[?:-](?:\s|$)|.:(?:\s|$)|\s#|^ | $/;
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** A text as Go writes it in a block of that indent. */
export function scalar(text: string, indent: number): string {
  if (text.includes("\n")) return block(text, indent);
  if (OLD_WORDS.has(text) || BASE_60.test(text) || text === "<<")
    throw new Error(`"${text}": ask the factory, its versions quote it differently and so give different IDs`);
  if (kindOf(text) !== "string" || CONTROL.test(text)) return doubleQuoted(text);
  return NEEDS_QUOTES.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}

function block(text: string, indent: number): string {
  // eslint-disable-next-line no-control-regex -- as above
  if (/ $| \n|[\x00-\x08\x0b-\x1f\x7f]/.test(text) || text.length < 2 || !/\S/.test(text)) return doubleQuoted(text);
  if (text.startsWith("\n"))
    throw new Error("a text that begins with an empty line: ask the factory, its versions write it differently and so give different IDs");
  const chomp = text.endsWith("\n\n") ? "+" : text.endsWith("\n") ? "" : "-";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${text.startsWith(" ") ? "4" : ""}${chomp}\n${lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n")}`;
}

const ESCAPES: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r" };
const doubleQuoted = (text: string) =>
  // eslint-disable-next-line no-control-regex -- as above
  `"${text.replaceAll(/["\\\x00-\x1f\x7f]/g, (char) => ESCAPES[char] ?? `\\x${char.codePointAt(0)!.toString(16).toUpperCase().padStart(2, "0")}`)}"`;
