// Rewords zod's issues for the operator, with hints from the schema.
import { z } from "zod";
import { nearest } from "../text/nearest.ts";
import type { Finding, Path } from "./findings.ts";
import { definition } from "./schema.ts";
import { orList, show } from "./show.ts";

/** One issue may concern several keys. `value` is the whole file; `typedAt` returns numbers and booleans as typed. */
export function inWords(issue: z.core.$ZodIssue, value: unknown, typedAt: (path: Path) => string | undefined): Finding[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], message: unknown(key, keysAt(path)) }));
  const has = valueAt(value, path);
  const typed = typedAt(path);
  const shown = typed ?? show(has);
  if (has === undefined) return [{ path, message: `is missing${hint(path)}` }];
  if (has === null) return [{ path, message: `${typed === undefined ? "" : `${typed} `}is empty${hint(path)}` }];
  if (issue.code === "invalid_key") return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === "invalid_value") return [{ path, message: among(has, shown, issue.values.map(String)) }];
  if (issue.code === "too_small" || issue.code === "too_big")
    return [{ path, message: typeof has === "number" ? outOfRange(has, shown, path) : issue.message }];
  if (issue.code === "invalid_type" && issue.expected === "string" && typed !== undefined)
    return [{ path, message: notQuoted(typed, path) }];
  if (issue.code === "invalid_type") return [{ path, message: ofKind(has, shown, issue.expected, path) }];
  return [{ path, message: issue.message }];
}

/** A number or boolean where a string is expected: its problem as a string, or that it needs quotes. */
function notQuoted(typed: string, path: Path): string {
  const asText = bare(schemaAt(path)!).safeParse(typed);
  return asText.success ? `${typed} is not a string (put it in quotes)` : asText.error.issues[0]!.message;
}

/** Other names of the hypervisors, which "did you mean" cannot find. */
const ALSO_CALLED: Record<string, string[]> = {
  vsphere: ["esx", "esxi", "vmware", "vcenter", "vcsa", "govc"],
  truenas: ["truenas-scale", "truenas-core", "truenas-ce", "scale", "freenas", "nas", "bhyve", "kvm"],
};

const meantBy = (word: string, known: readonly string[]) =>
  known.find((name) => ALSO_CALLED[name]?.includes(word.toLowerCase())) ?? nearest(word, known);

const unknown = (key: string, known: string[]) => {
  const near = meantBy(key, known);
  return `is unknown (${near ? `did you mean ${near}?` : `valid: ${known.join(", ")}`})`;
};

function among(has: unknown, shown: string, values: string[]): string {
  const near = typeof has === "string" ? meantBy(has, values) : undefined;
  return `${shown} is unknown (${near ? `did you mean ${near}? ` : ""}${orList(values)})`;
}

function outOfRange(has: number, shown: string, path: Path): string {
  const { minimum, maximum } = z.toJSONSchema(bare(schemaAt(path)!)) as { minimum: number; maximum: number };
  return `${shown} is too ${has < minimum ? "small" : "large"} (${minimum} to ${maximum})`;
}

function ofKind(has: unknown, shown: string, expected: string, path: Path): string {
  if (expected === "object" || expected === "record") return `${shown} is set where a section is expected${hint(path)}`;
  if (expected === "array") return `${shown} is set where a list is expected (entries begin with "- ")`;
  if (expected === "boolean") return `${shown} is neither true nor false`;
  if (expected === "string")
    return `${shown} is not a string (${typeof has === "object" ? `for example ${exampleAt(path)}` : "put it in quotes"})`;
  return `${shown} is not a whole number`;
}

function hint(path: Path): string {
  const keys = keysAt(path);
  const example = exampleAt(path);
  if (keys.length) return ` (a section with ${keys.join(", ")})`;
  return example === undefined ? "" : ` (for example ${example})`;
}

const exampleAt = (path: Path): string | undefined => {
  const schema = schemaAt(path);
  if (!schema) return undefined;
  const inner = bare(schema);
  return inner instanceof z.ZodEnum ? orList(inner.options.map(String)) : (inner.meta()?.examples as string[] | undefined)?.[0];
};

const keysAt = (path: Path): string[] => {
  const schema = schemaAt(path);
  const inner = schema && bare(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
};

/** Default of a field. */
export function defaultAt(path: Path): unknown {
  const schema = schemaAt(path);
  return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
}

function schemaAt(path: Path): z.ZodType | undefined {
  let at: z.ZodType | undefined = definition;
  for (const key of path) {
    const inner: z.ZodType = bare(at!);
    if (inner instanceof z.ZodObject) at = (inner.shape as Record<string, z.ZodType>)[key];
    else if (inner instanceof z.ZodArray) at = inner.element as z.ZodType;
    else if (inner instanceof z.ZodRecord) at = inner.valueType as z.ZodType;
    else return undefined;
    if (!at) return undefined;
  }
  return at;
}

/** The schema inside a default or optional wrapper. */
function bare(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? bare(schema.unwrap() as z.ZodType) : schema;
}

export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], value);
