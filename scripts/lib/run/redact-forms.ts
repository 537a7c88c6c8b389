// Every form that a secret can take in tools, encoders and shells, as one regular expression.
import { printable } from "./printable.ts";

/** Shorter values are too common to hide. */
const SHORTEST = 6;

/** The parts of a secret to hide: the value, each of its lines, its decoded base64, and the strings inside it if it is JSON. */
export function partsOf(value: string): string[] {
  const parts = new Set<string>();
  const add = (text: string, depth: number) => {
    if (text.trim().length < SHORTEST || parts.has(text)) return;
    parts.add(text);
    for (const line of text.split(/\r?\n/)) if (!line.trim().startsWith("-----")) add(line.trim(), depth);
    if (depth === 0) return;
    for (const inner of [fromBase64(text), ...textsOfJson(text)]) if (inner !== undefined) add(inner, depth - 1);
  };
  add(value, 2);
  return [...parts];
}

/** The text in a base64 value; undefined if it holds none. */
function fromBase64(text: string): string | undefined {
  const packed = text.replace(/\s+/g, "");
  if (packed.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(packed)) return undefined;
  const decoded = Buffer.from(packed, "base64").toString("utf8");
  return /^[\t\n\r\u0020-\u007e]+$/.test(decoded) ? decoded : undefined;
}

/** Strings of a JSON value that are long enough to be secrets; short ones are versions and names. */
function textsOfJson(text: string): string[] {
  if (!/^\s*[{[]/.test(text)) return [];
  try {
    const found: string[] = [];
    JSON.parse(text, (_key, value: unknown) => void (typeof value === "string" && value.length >= 16 && found.push(value)));
    return found;
  } catch {
    return [];
  }
}

/** A pattern for a text in all forms but base64: raw, escaped for JSON, Go, YAML and shells (once or several times), for URLs and HTML, folded over lines. */
export const patternOf = (text: string): string => [...text].map(formsOfCharacter).join("");

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
/** A hexadecimal number in either case. */
const hex = (value: number, width: number) =>
  [...value.toString(16).padStart(width, "0")].map((digit) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit)).join("");

/** Escapes with a letter, as in C, and names of HTML. */
const LETTERS: Record<string, string> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\u0007": "a", "\0": "0" };
const HTML: Record<string, string> = { '"': "quot", "'": "apos", "&": "amp", "<": "lt", ">": "gt" };

const cache = new Map<string, string>();

function formsOfCharacter(character: string): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  const known = cache.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0)!;
  const bytes = [...Buffer.from(character)];
  const forms = [
    String.raw`\\*${literal(character)}`,
    ...(LETTERS[character] === undefined ? [] : [String.raw`\\+${LETTERS[character]}`]),
    ...(HTML[character] === undefined ? [] : [`&${HTML[character]};`]),
    `&#0*(?:${code}|[xX]${hex(code, 1)});`,
    String.raw`\\+(?:U${hex(code, 8)}|u\{?${hex(code, 1)}\}|${[...unitsOf(character)].map((unit) => `u${hex(unit, 4)}`).join(String.raw`\\+`)})`,
    ...(bytes.length > 1 ? [literal(Buffer.from(character).toString("latin1"))] : []),
    bytes.map((byte) => String.raw`\\+x${hex(byte, 2)}`).join(""),
    bytes.map((byte) => String.raw`\\+${byte.toString(8).padStart(3, "0")}`).join(""),
    bytes.map((byte) => `%(?:25)*${hex(byte, 2)}`).join(""),
  ];
  if (character === " ") forms.push(String.raw`\s+`, String.raw`\+`, String.raw`\\\r?\n\s*`);
  if (character === "\n") forms.push(String.raw`\s+`, String.raw`\\+r\\+n`, String.raw`%(?:25)*0[dD]%(?:25)*0[aA]`);
  if (character === "'") forms.push("''", String.raw`'\\+''`, `'"'"'`);
  if (character === "\t") forms.push(String.raw`\s+`);
  const pattern = `(?:${forms.join("|")})${printable(character) === character ? "" : "?"}`; // printable() may have removed it
  cache.set(character, pattern);
  return pattern;
}

function* unitsOf(character: string): Generator<number> {
  for (let index = 0; index < character.length; index += 1) yield character.charCodeAt(index);
}
