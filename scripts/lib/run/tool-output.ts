// Reads the output of a tool or the answer of a server. If it cannot be parsed, the error is one line: the command, what is wrong, and the first words.
import { Failure } from "./errors.ts";

export interface Source {
  /** The command or request as typed: `kubectl get nodes --output json`; or the file that a tool or an earlier run wrote. */
  command: string;
  /** `command` is the path of a file. */
  file?: boolean;
  /** The answer contains secrets that redaction may not know yet, so it is never quoted. */
  secret?: boolean;
}

/** The shape that the caller needs, by example: `""` is any string, `0` any number, `[pattern]` a list of them. Other keys may have any value. */
export type Pattern = "" | 0 | false | readonly [Pattern] | { readonly [key: string]: Pattern };

/** An answer that a working tool does not print: cut off, an HTML page, a warning before the data. Its content is unknown, not empty. */
export class Unreadable extends Failure {
  override name = "Unreadable";
  constructor(account: { attempted: string; said: string }) {
    super(account);
    this.message = `could not ${account.attempted}: ${account.said}`; // one line
  }
}

const QUOTED = 60;

/** Parses an answer that is one JSON document. */
export function readJson<T>(text: string, source: Source, pattern: Pattern): T {
  return expectShape<T>(parse(text, source), source, pattern);
}

/** Returns an already parsed answer if it has the expected shape. */
export function expectShape<T>(value: unknown, source: Source, pattern: Pattern): T {
  const wrong = misfit(value, pattern);
  if (wrong !== undefined) throw unreadable(source, wrong);
  return value as T;
}

/** Parses consecutive JSON documents, each over several lines, as talosctl prints them. An empty answer is an empty list. */
export function readJsonStream<T>(text: string, source: Source, pattern: Pattern): T[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => readJson<T>(part, source, pattern));
}

/** The names in a list of `kind/name` lines. */
export function readNames(lines: readonly string[], kind: string, source: Source): string[] {
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) => {
      if (line.startsWith(`${kind}/`)) return line.slice(kind.length + 1).trim();
      throw unreadable(source, `it is not a list of ${kind}${quote(line, source)}`);
    });
}

/** The non-empty YAML documents of an answer; each must be a map. */
export async function readYaml<T>(text: string, source: Source): Promise<T[]> {
  const { parseAllDocuments } = await import("yaml");
  const parsed = [...parseAllDocuments(text, { logLevel: "silent" })];
  const broken = parsed.flatMap(({ errors }) => errors)[0];
  if (broken) {
    const line = broken.linePos?.[0].line ?? 1;
    throw unreadable(source, `it is not YAML from line ${line} on${quote(text.split("\n")[line - 1] ?? "", source)}`);
  }
  const values = parsed.map((document): unknown => document.toJS()).filter((value) => value !== null && value !== undefined);
  if (values.some((value) => !isMap(value))) throw unreadable(source, `it is not a YAML map${quote(text.trim(), source)}`);
  return values as T[];
}

function parse(text: string, source: Source): unknown {
  const trimmed = text.trim();
  if (trimmed === "") throw unreadable(source, "it is empty");
  try {
    return JSON.parse(trimmed) as unknown;
  } catch (error) {
    throw unreadable(source, notJson(trimmed, error as Error, source));
  }
}

/** Says where an answer stops being JSON. JavaScript's own messages ("Unexpected token 'W'") do not help the reader. */
function notJson(text: string, { message }: Error, source: Source): string {
  if (!/^[[{]/.test(text)) return `it is not JSON${quote(text, source)}`;
  if (/Unterminated|Unexpected end|end of (JSON )?input/i.test(message) || !/[\]}]$/.test(text))
    return `it is cut off after ${text.length} characters${quote(text.slice(-QUOTED), source, "…")}`;
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
  return `it is not JSON from character ${position} on${quote(text.slice(position), source)}`;
}

/** How a value differs from the pattern: `.items is missing`; undefined if it fits. */
function misfit(value: unknown, pattern: Pattern, at = ""): string | undefined {
  const here = at === "" ? "it" : at;
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value)) return `${here} is ${kindOf(value)}, not a list`;
    return value.map((one, index) => misfit(one, (pattern as readonly [Pattern])[0], `${at}[${index}]`)).find(Boolean);
  }
  if (typeof pattern !== "object")
    return typeof value === typeof pattern ? undefined : `${here} is ${kindOf(value)}, not a ${typeof pattern}`;
  if (!isMap(value)) return `${here} is ${kindOf(value)}, not an object`;
  return Object.entries(pattern)
    .map(([key, inner]) => misfit(value[key], inner, `${at}.${key}`))
    .find(Boolean);
}

const kindOf = (value: unknown) =>
  value === undefined
    ? "missing"
    : value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "an object"
          : `a ${typeof value}`;

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const quote = (text: string, { secret }: Source, before = "") =>
  secret ? "" : `: "${before}${text.replaceAll(/\s+/g, " ").slice(0, QUOTED)}${!before && text.length > QUOTED ? "…" : ""}"`;

const unreadable = ({ command, file }: Source, wrong: string) =>
  new Unreadable({ attempted: `read ${file ? command : `the output of \`${command}\``}`, said: wrong });
