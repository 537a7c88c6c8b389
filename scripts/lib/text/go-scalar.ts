// Plain (unquoted) scalars of YAML as Go reads them. Talos, the Image Factory and Kubernetes are written in Go: there `0644` is octal and `yes` is a string.

export type ScalarKind = "null" | "bool" | "int" | "float" | "time" | "string";

/** A plain scalar that JavaScript prints differently: `0644`, `1.10`, `yes`. It is printed as typed. */
export class Plain {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** The value that Go reads into an untyped field. */
  get value(): unknown {
    return goValue(this.text);
  }
  toJSON(): unknown {
    return this.value;
  }
}

/** The JavaScript value of a plain scalar if it prints as typed, else a Plain. */
export function typed(text: string): unknown {
  const kind = kindOf(text);
  if (kind === "null") return null;
  if (kind === "string") return OLD_WORDS.has(text) ? new Plain(text) : text;
  const value = goValue(text);
  return kind !== "time" && String(value) === text ? value : new Plain(text);
}

/** The value that Go reads from a plain scalar into an untyped field. */
export function goValue(text: string): unknown {
  const kind = kindOf(text);
  if (kind === "null") return null;
  if (kind === "bool") return text.toLowerCase() === "true";
  if (kind === "int") return integerOf(text);
  if (kind === "float") return floatOf(text);
  return text;
}

/** Booleans of YAML 1.1. They are strings, but Go reads them as booleans into a bool field. */
export const OLD_WORDS: ReadonlySet<string> = new Set(["y", "n", "yes", "no", "on", "off"].flatMap(casings));
const NULLS = new Set(["", "~", ...casings("null")]);
const BOOLEANS = new Set(["true", "false"].flatMap(casings));
const NO_NUMBERS = new Set([...casings(".nan"), ...["", "+", "-"].flatMap((sign) => casings(".inf").map((word) => sign + word))]);
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const POINT_FIRST = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/;

/** yes, Yes, YES; .nan, .NaN, .NAN; .inf, .Inf, .INF */
function casings(word: string): string[] {
  const letters = word.replace(".", "");
  const middle = letters === "nan" ? "NaN" : letters[0]!.toUpperCase() + letters.slice(1);
  return [letters, middle, letters.toUpperCase()].map((one) => (word.startsWith(".") ? `.${one}` : one));
}

/** The type that Go gives a plain scalar. */
export function kindOf(text: string): ScalarKind {
  if (NULLS.has(text)) return "null";
  if (BOOLEANS.has(text)) return "bool";
  if (NO_NUMBERS.has(text)) return "float";
  const plain = text.replaceAll("_", "");
  if (text.startsWith(".")) return POINT_FIRST.test(text) && Number.isFinite(Number(plain)) ? "float" : "string";
  if (!/^[-+0-9]/.test(text)) return "string";
  if (isTime(text)) return "time";
  if (INTEGER.test(plain)) return "int";
  return FLOAT.test(plain) && Number.isFinite(Number(plain)) ? "float" : "string";
}

function integerOf(text: string): number {
  const [, sign, digits = ""] = /^([-+]?)(.*)$/.exec(text.replaceAll("_", ""))!;
  const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -size : size;
}

function floatOf(text: string): number {
  if (/nan/i.test(text)) return Number.NaN;
  if (/inf/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text.replaceAll("_", ""));
}

function isTime(text: string): boolean {
  const [, year, month, day, separator, hour, minute, second, zone] = TIME.exec(text) ?? [];
  if (year === undefined) return false;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return false;
  if (separator === undefined) return true;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false;
  return separator === " " ? zone === undefined : zone !== undefined;
}
