// Parameters as TrueNAS reads them: strictly, against its own schemas, with the words of its validator, and with defaults filled in.
import { readFileSync } from "node:fs";
import type { Ajv2020 as Ajv, ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import { invalid, type Refusal } from "../../world/nas/refusals.ts";
import { describeErrors } from "./param-words.ts";

type Schema = Record<string, any>;

/** A method of one API version. */
export interface Method {
  /** Names of its positional parameters. */
  params: string[];
  job?: true;
  inputPipe?: true;
  /** Can be called without a login. */
  anonymous?: true;
  rateLimited?: true;
  /** Any of them will do. */
  roles?: string[];
  /** 25.04 still has it under its older schema system: this is 25.10's. */
  lent?: true;
  accepts: Schema;
  returns: Schema;
}

export interface Api {
  methods: Record<string, Method>;
  /** What the real one has besides. */
  others: string[];
}

/** One of the vendored API versions: 25.04.2, 25.10.5, 26.0.0. */
export const loadApi = (version: string): Api =>
  JSON.parse(readFileSync(new URL(`../../schemas/truenas/${version}.json`, import.meta.url), "utf8")) as Api;

/** A union in the parameters: where it is, and its members by the value of their tag, or by name where any may fit. */
export interface Union {
  /** Keys from the parameters' array down. */
  at: (string | number)[];
  /** The member that tells which one is meant; undefined when the first that fits is taken. */
  tag?: string;
  defaultTag?: string;
  members: Record<string, string>;
}

export type Read = { values: any[] } | { error: Refusal };

/** Reads parameters of one API's methods. */
export async function openReader(api: Api): Promise<(name: string, given: unknown[]) => Read> {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv: Ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true, validateSchema: false, unicodeRegExp: false });
  const compiled = new Map<string, ValidateFunction>();
  const errorsOf = (key: string, schema: () => Schema, value: unknown): ErrorObject[] => {
    let validate = compiled.get(key);
    if (!validate) compiled.set(key, (validate = ajv.compile(schema())));
    return validate(value) ? [] : [...validate.errors!];
  };
  return (name, given) => {
    const { params, accepts, lent = false } = api.methods[name]!;
    if (lent && params[0] === "filters" && given.length > 0 && !Array.isArray(given[0]))
      return { error: invalid(["query-filters", "Not a list"]) };
    if (given.length > params.length)
      return { error: invalid(["", `Too many arguments (expected ${params.length}, found ${given.length})`]) };
    const missing = params.slice(given.length, accepts.minItems as number);
    if (missing.length > 0) return { error: invalid(...missing.map((param): [string, string] => [param, "Field required"])) };
    const union = findUnion(accepts);
    const choices = union ? choose(union, given) : [undefined];
    if (typeof choices === "string") {
      const rest = errorsOf(`${name} any`, () => narrow(accepts, union!, {}), given);
      const [field, message] = tagError(params, union!, choices);
      return { error: invalid([field, message], ...describeErrors(rest, params)) };
    }
    const faults: [string, string][] = [];
    for (const choice of choices) {
      const schema = choice === undefined ? accepts : narrow(accepts, union!, { $ref: `#/$defs/${union!.members[choice]}` });
      const errors = errorsOf(`${name} ${choice ?? ""}`, () => schema, given);
      if (errors.length === 0) return { values: fill(schema, structuredClone(given), schema.$defs) as any[] };
      faults.push(...describeErrors(errors, params, union && choice !== undefined ? { depth: union.at.length, label: choice } : undefined));
    }
    return { error: invalid(...faults) };
  };
}

/** The union in these parameters, if there is one: in none is more than one that this home needs. */
function findUnion(accepts: Schema): Union | undefined {
  const look = (schema: Schema, at: Union["at"], depth: number): Union | undefined => {
    const node = schema.$ref ? accepts.$defs[String(schema.$ref).split("/").at(-1)!] : schema;
    const members = (node.oneOf ?? node.anyOf) as Schema[] | undefined;
    if (members && members.length > 1 && members.every(({ $ref }) => $ref)) return unionOf(node, members, at, accepts.$defs);
    if (depth === 0) return undefined;
    for (const [key, inner] of Object.entries((node.properties ?? {}) as Record<string, Schema>)) {
      const found = look(inner, [...at, key], depth - 1);
      if (found) return found;
    }
    return undefined;
  };
  for (const [index, schema] of ((accepts.prefixItems as Schema[] | undefined) ?? []).entries()) {
    const found = look(schema, [index], 1);
    if (found) return found;
  }
  return undefined;
}

function unionOf(node: Schema, members: Schema[], at: Union["at"], defs: Record<string, Schema>): Union {
  const name = ({ $ref }: Schema) => String($ref).split("/").at(-1)!;
  if (!node.discriminator) return { at, members: Object.fromEntries(members.map((member) => [name(member), name(member)])) };
  const { propertyName, mapping } = node.discriminator as { propertyName: string; mapping: Record<string, string> };
  const defaultTag = defs[name(members[0]!)]?.properties[propertyName]?.default as string | undefined;
  return {
    at,
    tag: propertyName,
    ...(defaultTag !== undefined && { defaultTag }),
    members: Object.fromEntries(members.map(({ $ref }) => [Object.keys(mapping).find((tag) => mapping[tag] === $ref)!, name({ $ref })])),
  };
}

/** The members to try; a text when the tag says none: "" for no tag, else the tag. */
function choose({ at, tag, defaultTag, members }: Union, given: unknown[]): (string | undefined)[] | string {
  const names = Object.keys(members);
  if (tag === undefined) return names;
  const value = at.reduce<any>((value, key) => value?.[key], given);
  if (typeof value !== "object" || value === null) return [names[0]];
  const said = String(value[tag] ?? defaultTag ?? "");
  return names.includes(said) ? [said] : said;
}

function tagError(params: string[], { at: [first, ...rest], tag, members }: Union, said: string): [string, string] {
  const field = [params[first as number], ...rest].join(".");
  if (said === "") return [`${field}.${tag}`, "Field required"];
  const tags = Object.keys(members).map((name) => `'${name}'`);
  return [field, `Input tag '${said}' found using '${tag}' does not match any of the expected tags: ${tags.join(", ")}`];
}

/** The same schema with one member in the union's place. */
function narrow(accepts: Schema, { at }: Union, member: Schema): Schema {
  const copy = structuredClone(accepts);
  let [holder, key]: [Schema, string | number] = [copy.prefixItems, at[0]!];
  for (const next of at.slice(1)) {
    const node = holder[key] as Schema;
    const object = node.$ref ? (copy.$defs[String(node.$ref).split("/").at(-1)!] as Schema) : node;
    [holder, key] = [object.properties as Schema, next];
  }
  holder[key] = member;
  return copy;
}

/** Fills in defaults, also inside objects; what has none stays absent. */
function fill(schema: Schema, value: any, defs: Record<string, Schema> = {}): any {
  if (schema.$ref) return fill(defs[String(schema.$ref).split("/").at(-1)!]!, value, defs);
  if (schema.prefixItems) {
    for (const [index, item] of (schema.prefixItems as Schema[]).entries()) {
      const isModel = item.$ref !== undefined && !("default" in item); // options that were left out are a model of nothing but defaults
      value[index] = filled(isModel ? { default: {}, ...item } : item, value[index], defs);
    }
  } else if (schema.properties && typeof value === "object" && value !== null) {
    for (const [key, property] of Object.entries(schema.properties as Record<string, Schema>)) {
      const whole = filled(property, value[key], defs);
      if (whole !== undefined) value[key] = whole;
    }
  }
  return value;
}

const filled = (schema: Schema, value: any, defs: Record<string, Schema>) =>
  fill(schema, value === undefined && "default" in schema ? structuredClone(schema.default) : value, defs);
