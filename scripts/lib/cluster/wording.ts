// What zod found, in words for a person who edits a file; and what the definition says of a field.
import { z } from "zod";
import { nearest } from "../nearest.ts";
import type { Finding, Path } from "./findings.ts";
import { definition } from "./schema.ts";
import { orList, show } from "./show.ts";

/** One issue may be about several keys. `value` is the whole file. */
export function inWords(issue: z.core.$ZodIssue, value: unknown): Finding[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], message: unknown(key, keysAt(path)) }));
  const has = valueAt(value, path);
  if (has === undefined) return [{ path, message: `is missing${hint(path)}` }];
  if (has === null) return [{ path, message: `is empty${hint(path)}` }];
  if (issue.code === "invalid_key") return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === "invalid_value") return [{ path, message: among(has, issue.values.map(String)) }];
  if (issue.code === "too_small" || issue.code === "too_big")
    return [{ path, message: typeof has === "number" ? outOfRange(has, path) : issue.message }];
  if (issue.code === "invalid_type")
    return [{ path, message: ourWords(issue.message) ? issue.message : ofKind(has, issue.expected, path) }];
  return [{ path, message: issue.message }];
}

/** The definition's own sentence about a number that stands where text is wanted. */
const ourWords = (message: string) => !message.startsWith("Invalid input");

const unknown = (key: string, known: string[]) => {
  const near = nearest(key, known);
  return `is not known here (${near ? `did you mean ${near}?` : `known are ${known.join(", ")}`})`;
};

function among(has: unknown, values: string[]): string {
  const near = typeof has === "string" ? nearest(has, values) : undefined;
  return `${show(has)} is not known (${near ? `did you mean ${near}? ` : ""}${orList(values)})`;
}

function outOfRange(has: number, path: Path): string {
  const { minimum, maximum } = z.toJSONSchema(bare(schemaAt(path)!)) as { minimum: number; maximum: number };
  return `${has} is too ${has < minimum ? "small" : "large"} (${minimum} to ${maximum})`;
}

function ofKind(has: unknown, expected: string, path: Path): string {
  if (expected === "object" || expected === "record") return `${show(has)} stands where a section is wanted${hint(path)}`;
  if (expected === "array") return `${show(has)} stands where a list is wanted (entries begin with "- ")`;
  if (expected === "boolean") return `${show(has)} is neither true nor false`;
  if (expected === "string") return `${show(has)} is no text (${typeof has === "object" ? `as ${exampleAt(path)}` : "put it in quotes"})`;
  return `${show(has)} is no whole number`;
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

/** The value that a field has when the file does not name it. */
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

/** A schema without its default, or its being optional. */
function bare(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional ? bare(schema.unwrap() as z.ZodType) : schema;
}

export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], value);
