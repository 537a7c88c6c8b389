// Checks a value against a JSON schema by walking both. The vendored schemas use two dozen keywords; generated validators (ajv) need
// seconds to be made for them, or a cache that several runs share: walking needs neither, and a test compares the two on thousands of values.
import { isDeepStrictEqual } from "node:util";
import { nearest } from "../../text/nearest.ts";
import { toJavaScript } from "./patterns.ts";

export interface SchemaFault {
  /** From the object's root. */
  path: (string | number)[];
  message: string;
  /** For a field that there is not: the nearest one that there is. */
  meant?: string;
}

export interface Schema {
  $ref?: string;
  type?: string | string[];
  nullable?: boolean;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number | boolean;
  exclusiveMaximum?: number | boolean;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  definitions?: Record<string, Schema>;
}

/** Keywords that say nothing about whether a value is valid (`format` is not enforced by kubeconform either, without its own flag). */
const SILENT = /^(\$schema|\$id|title|description|default|example|format|nullable|definitions|x-kubernetes-.*)$/;
const READ = new Set(
  "$ref type enum const properties patternProperties additionalProperties required items pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems minProperties maxProperties allOf anyOf oneOf not".split(
    " ",
  ),
);

/** Keywords of a schema that this does not read: none of the vendored ones has any, a test sees to that. */
export function unreadKeywords(schema: Schema): string[] {
  const found = new Set<string>();
  const walk = (one: unknown): void => {
    if (typeof one !== "object" || one === null) return;
    for (const [key, value] of Object.entries(one)) {
      if (!SILENT.test(key) && !READ.has(key)) found.add(key);
      if (/^(properties|patternProperties|definitions)$/.test(key)) Object.values(value as object).forEach(walk);
      else if (/^(allOf|anyOf|oneOf)$/.test(key)) (value as unknown[]).forEach(walk);
      else if (/^(items|additionalProperties|not)$/.test(key)) walk(value);
    }
  };
  walk(schema);
  return [...found];
}

const patterns = new Map<string, RegExp | undefined>();

/** The pattern as JavaScript has it; undefined for one that it cannot read. */
export function regExpOf(pattern: string): RegExp | undefined {
  if (!patterns.has(pattern)) {
    try {
      patterns.set(pattern, new RegExp(toJavaScript(pattern), "u"));
    } catch {
      patterns.set(pattern, undefined);
    }
  }
  return patterns.get(pattern);
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const TYPES: Record<string, (value: unknown) => boolean> = {
  array: Array.isArray,
  boolean: (value) => typeof value === "boolean",
  integer: (value) => Number.isInteger(value),
  null: (value) => value === null,
  number: (value) => typeof value === "number",
  object: isMap,
  string: (value) => typeof value === "string",
};

/** Every fault of a value, the outermost first. */
export function faultsOf(schema: Schema, value: unknown): SchemaFault[] {
  const faults: SchemaFault[] = [];
  check(schema, value, [], { root: schema, faults });
  return faults;
}

interface Run {
  root: Schema;
  faults: SchemaFault[];
}

function check(schema: Schema, value: unknown, path: SchemaFault["path"], run: Run): void {
  const say = (message: string, ...more: SchemaFault["path"]) => void run.faults.push({ path: [...path, ...more], message });
  if (schema.$ref !== undefined) check(resolve(schema.$ref, run.root), value, path, run);
  if (value === null && schema.nullable) return;
  if (schema.type !== undefined) {
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    if (!types.some((type) => TYPES[type]?.(value))) return say(`must be ${types.join(" or ")}`);
  }
  if (schema.enum && !schema.enum.some((one) => isDeepStrictEqual(one, value))) say(`must be one of ${schema.enum.map(String).join(", ")}`);
  if ("const" in schema && !isDeepStrictEqual(schema.const, value)) say(`must be ${JSON.stringify(schema.const)}`);
  if (typeof value === "string") checkText(schema, value, say);
  else if (typeof value === "number") checkNumber(schema, value, say);
  else if (Array.isArray(value)) checkList(schema, value as unknown[], path, run, say);
  else if (isMap(value)) checkMap(schema, value, path, run, say);
  for (const one of schema.allOf ?? []) check(one, value, path, run);
  if (schema.anyOf) checkAlternatives(schema.anyOf, value, path, run, (fitting) => fitting > 0);
  if (schema.oneOf) checkAlternatives(schema.oneOf, value, path, run, (fitting) => fitting === 1);
  if (schema.not && isValid(schema.not, value, run.root)) say("must not be so");
}

type Say = (message: string, ...more: SchemaFault["path"]) => void;

function resolve(ref: string, root: Schema): Schema {
  let found: unknown = root;
  for (const step of ref.replace(/^#\/?/, "").split("/").filter(Boolean)) found = (found as Record<string, unknown> | undefined)?.[step];
  if (!found) throw new Error(`a schema refers to ${ref}, which it does not have`);
  return found as Schema;
}

function isValid(schema: Schema, value: unknown, root: Schema): boolean {
  const run: Run = { root, faults: [] };
  check(schema, value, [], run);
  return run.faults.length === 0;
}

function checkText({ pattern, minLength = 0, maxLength = Infinity }: Schema, value: string, say: Say): void {
  const length = [...value].length;
  if (length < minLength) say(`must have at least ${minLength} characters`);
  if (length > maxLength) say(`must have at most ${maxLength} characters`);
  if (pattern !== undefined && regExpOf(pattern)?.test(value) === false) say(`must match ${pattern}`);
}

function checkNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema, value: number, say: Say): void {
  if (minimum !== undefined && (value < minimum || (exclusiveMinimum === true && value === minimum))) say(`must be at least ${minimum}`);
  if (maximum !== undefined && (value > maximum || (exclusiveMaximum === true && value === maximum))) say(`must be at most ${maximum}`);
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum) say(`must be more than ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum) say(`must be less than ${exclusiveMaximum}`);
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) say(`must be a multiple of ${multipleOf}`);
}

function checkList(schema: Schema, value: unknown[], path: SchemaFault["path"], run: Run, say: Say): void {
  const { items, minItems = 0, maxItems = Infinity, uniqueItems } = schema;
  if (value.length < minItems) say(`must have at least ${minItems} items`);
  if (value.length > maxItems) say(`must have at most ${maxItems} items`);
  if (uniqueItems && new Set(value.map((one) => JSON.stringify(one))).size < value.length) say("must not have an item twice");
  if (items) for (const [index, one] of value.entries()) check(items, one, [...path, index], run);
}

function checkMap(schema: Schema, value: Record<string, unknown>, path: SchemaFault["path"], run: Run, say: Say): void {
  const {
    properties = {},
    patternProperties = {},
    additionalProperties = true,
    required = [],
    minProperties = 0,
    maxProperties = Infinity,
  } = schema;
  for (const name of required) if (value[name] === undefined) say(`lacks ${name}`);
  const keys = Object.keys(value);
  if (keys.length < minProperties) say(`must have at least ${minProperties} fields`);
  if (keys.length > maxProperties) say(`must have at most ${maxProperties} fields`);
  for (const key of keys) {
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const matching = Object.entries(patternProperties).filter(([pattern]) => regExpOf(pattern)?.test(key));
    if (own) check(own, value[key], [...path, key], run);
    for (const [, one] of matching) check(one, value[key], [...path, key], run);
    if (own || matching.length > 0 || additionalProperties === true) continue;
    if (additionalProperties === false) {
      const meant = nearest(key, Object.keys(properties));
      run.faults.push({ path: [...path, key], message: "is no field of this kind", ...(meant !== undefined && { meant }) });
    } else check(additionalProperties, value[key], [...path, key], run);
  }
}

/** Of alternatives that all fail, the one that comes closest tells why. */
function checkAlternatives(
  schemas: Schema[],
  value: unknown,
  path: SchemaFault["path"],
  run: Run,
  fits: (fitting: number) => boolean,
): void {
  const tries = schemas.map((one) => {
    const attempt: Run = { root: run.root, faults: [] };
    check(one, value, path, attempt);
    return attempt.faults;
  });
  const fitting = tries.filter((faults) => faults.length === 0).length;
  if (fits(fitting)) return;
  if (fitting > 1) return void run.faults.push({ path, message: `fits ${fitting} of its alternatives, may fit one` });
  run.faults.push(...tries.sort((a, b) => a.length - b.length)[0]!);
}
