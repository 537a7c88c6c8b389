// What is wrong with parameters, in the words of TrueNAS' validator and at the paths that it gives.
import type { ErrorObject } from "ajv/dist/2020.js";

const TYPES: Record<string, string> = {
  integer: "a valid integer",
  number: "a valid number",
  string: "a valid string",
  boolean: "a valid boolean",
  array: "a valid list",
  object: "a valid dictionary",
};

/** `'A', 'B' or None`. */
function oneOf(values: unknown[]): string {
  const words = values.map((value) => (value === null ? "None" : typeof value === "string" ? `'${value}'` : String(value)));
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

const characters = (count: number) => `${count} character${count === 1 ? "" : "s"}`;

/** pydantic's words for one error; undefined for what it does not tell: that one of several members did not fit. */
function wordsOf({ keyword, params }: ErrorObject): string | undefined {
  switch (keyword) {
    case "required":
      return "Field required";
    case "additionalProperties":
      return "Extra inputs are not permitted";
    case "type":
      return params.type === "null" ? undefined : `Input should be ${TYPES[params.type as string]}`;
    case "enum":
      return `Input should be ${oneOf(params.allowedValues as unknown[])}`;
    case "const":
      return `Input should be ${oneOf([params.allowedValue])}`;
    case "minimum":
      return `Input should be greater than or equal to ${params.limit}`;
    case "maximum":
      return `Input should be less than or equal to ${params.limit}`;
    case "minLength":
      return `String should have at least ${characters(params.limit as number)}`;
    case "maxLength":
      return `String should have at most ${characters(params.limit as number)}`;
    case "pattern":
      return `String should match pattern '${params.pattern}'`;
    default:
      return undefined;
  }
}

const decode = (segment: string) => segment.replaceAll("~1", "/").replaceAll("~0", "~");

/** A line for each error: path and message. `union`: the name that stands in the path for the member that was chosen, at that depth. */
export function describeErrors(errors: ErrorObject[], params: string[], union?: { depth: number; label: string }): [string, string][] {
  const lines = errors.flatMap((error): { line: [string, string]; extra: boolean }[] => {
    const message = wordsOf(error);
    if (message === undefined) return [];
    const [first = "", ...rest] = error.instancePath.split("/").slice(1).map(decode);
    const path = [params[Number(first)] ?? "", ...rest];
    if (error.keyword === "required") path.push(error.params.missingProperty as string);
    if (error.keyword === "additionalProperties") path.push(error.params.additionalProperty as string);
    if (union && path.length > union.depth) path.splice(union.depth, 0, union.label);
    return [{ line: [path.join("."), message], extra: error.keyword === "additionalProperties" }];
  });
  return [...lines.filter(({ extra }) => !extra), ...lines.filter(({ extra }) => extra)].map(({ line }) => line);
}
