// Plain YAML scalars as Go reads them: kustomize by yaml.v3, Flux after substitution by yaml.v2. Neither is YAML 1.2: 0777 is octal, 1_000 a number.

export type Scalar = string | number | boolean | null;

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE = new Set(["true", "True", "TRUE"]);
const FALSE = new Set(["false", "False", "FALSE"]);
/** yaml.v2 takes these for booleans, wherever they stand. */
const TRUE_11 = new Set(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"]);
const FALSE_11 = new Set(["n", "N", "no", "No", "NO", "off", "Off", "OFF"]);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** What a plain scalar is. `version` is the Go package's: 3 reads manifests, 2 reads what was substituted. */
export function readPlain(text: string, version: 2 | 3): Scalar {
  if (NULLS.has(text)) return null;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  if (version === 2 && TRUE_11.has(text)) return true;
  if (version === 2 && FALSE_11.has(text)) return false;
  const first = text[0]!;
  if (first === ".") return FLOAT.test(text) ? Number(text) : text;
  if (!/[-+0-9]/.test(first)) return text;
  return timestamp(text) ?? number(text.replaceAll("_", "")) ?? text;
}

/** Go's strconv.ParseInt with base 0, then a float. */
function number(text: string): number | undefined {
  const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(text)!;
  const value = /^0[xX][0-9a-fA-F]+$/.test(digits)
    ? Number.parseInt(digits, 16)
    : /^0[bB][01]+$/.test(digits)
      ? Number.parseInt(digits.slice(2), 2)
      : /^0[oO]?[0-7]+$/.test(digits)
        ? Number.parseInt(digits.replace(/^0[oO]?/, ""), 8)
        : FLOAT.test(digits) && (!/^0\d/.test(digits) || /[.eE89]/.test(digits))
          ? Number(digits)
          : undefined;
  return value === undefined || !Number.isFinite(value) ? undefined : sign === "-" ? -value : value;
}

/** A plain date becomes Go's time and, in JSON, its text: 2026-01-02 is "2026-01-02T00:00:00Z". */
function timestamp(text: string): string | undefined {
  const found = DATE.exec(text);
  if (!found) return undefined;
  const [, year, month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = found;
  if (Number(month) > 12 || Number(day) > 31 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const two = (digits: string) => digits.padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction.replace(/\.?0+$/, "")}${zone === "+00:00" ? "Z" : zone}`;
}
