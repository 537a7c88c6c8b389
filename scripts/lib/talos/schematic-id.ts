// The ID that the image factory gives a schematic: the SHA-256 of the YAML that Go writes of it. Predicting it here lets everything be planned, and compared, without the factory.
import { createHash } from "node:crypto";

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

const NO_STRINGS = new Set([
  "",
  "~",
  ...["null", "true", "false"].flatMap(casings),
  ...casings(".nan"),
  ...["", "+", "-"].flatMap((sign) => casings(".inf").map((word) => sign + word)),
  "-0",
  "-0.0",
]);
/** Booleans of YAML 1.1. */
const OLD_WORDS = new Set(["y", "n", "yes", "no", "on", "off"].flatMap(casings));
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const POINT_FIRST = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/;
const NEEDS_QUOTES = /^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[?:-](?:\s|$)|.:(?:\s|$)|\s#|^ | $/;
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** yes, Yes, YES; .nan, .NaN, .NAN; .inf, .Inf, .INF */
function casings(word: string): string[] {
  const letters = word.replace(".", "");
  const middle = letters === "nan" ? "NaN" : letters[0]!.toUpperCase() + letters.slice(1);
  return [letters, middle, letters.toUpperCase()].map((one) => (word.startsWith(".") ? `.${one}` : one));
}

/** A text as Go writes it in a block of that indent. */
export function scalar(text: string, indent: number): string {
  if (text.includes("\n")) return block(text, indent);
  if (OLD_WORDS.has(text) || BASE_60.test(text) || text === "<<")
    throw new Error(`"${text}": ask the factory, its versions quote it differently and so give different IDs`);
  if (isNoString(text) || CONTROL.test(text)) return doubleQuoted(text);
  return NEEDS_QUOTES.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
}

function isNoString(text: string): boolean {
  if (NO_STRINGS.has(text)) return true;
  const plain = text.replaceAll("_", "");
  if (text.startsWith(".")) return POINT_FIRST.test(text) && Number.isFinite(Number(plain));
  return /^[-+0-9]/.test(text) && (isTime(text) || INTEGER.test(plain) || (FLOAT.test(plain) && Number.isFinite(Number(plain))));
}

function isTime(text: string): boolean {
  const [, year, month, day, separator, hour, minute, second, zone] = TIME.exec(text) ?? [];
  if (year === undefined) return false;
  if (
    Number(month) < 1 ||
    Number(month) > 12 ||
    Number(day) < 1 ||
    Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  )
    return false;
  if (separator === undefined) return true;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false;
  return separator === " " ? zone === undefined : zone !== undefined;
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
