// YAML with references to secrets. Values replace references in the parsed document, so that a value cannot break the YAML or change a type.
import type { ScalarTag } from "yaml";
import { Failure, textOf } from "../run/errors.ts";
import { Plain, typed } from "./go-scalar.ts";

/** A document and the line where its content begins. Scalars that JavaScript prints differently are Plain. */
export interface TypedDocument {
  value: unknown;
  line: number;
}

/** The non-empty documents of a text as values. Throws a Failure with every syntax error; `file` is the file to fix. */
export async function parseDocuments(text: string, file: string): Promise<unknown[]> {
  return (await parseTyped(text, file)).map(({ value }) => valuesOf(value));
}

/** The same for a text that is printed again: scalars keep their typed form. */
export async function parseTyped(text: string, file: string): Promise<TypedDocument[]> {
  const { LineCounter, parseAllDocuments } = await import("yaml");
  const { wrongAliases } = await import("./aliases.ts");
  const lines = new LineCounter();
  const parsed = [
    ...parseAllDocuments(text, {
      customTags: (tags) => [READ_PLAIN, ...tags],
      lineCounter: lines,
      logLevel: "silent",
      merge: true,
      prettyErrors: true,
      stringKeys: true,
    }),
  ];
  const refuse = (said: string[]) =>
    new Failure({ attempted: `read ${file} as YAML`, said: said.join("\n"), now: "nothing was changed", next: `fix ${file}` });
  const wrong = parsed.flatMap((document) => [
    ...document.errors.map(({ message }) => message.split("\n")[0]!),
    ...wrongAliases(document).map(({ offset, text: said }) => `${said} at line ${lines.linePos(offset).line}`),
  ]);
  if (wrong.length > 0) throw refuse(wrong);
  try {
    return parsed
      .map((document) => ({ value: document.toJS() as unknown, line: lines.linePos(document.contents?.range?.[0] ?? 0).line }))
      .filter(({ value }) => value !== null && value !== undefined);
  } catch (error) {
    throw refuse([textOf(error)]); // a merge key whose value is not a map
  }
}

const PLAIN: ScalarTag = {
  tag: "tag:home-ops,2026:plain",
  default: true,
  identify: (value) => value instanceof Plain,
  resolve: (text) => typed(text),
  stringify: ({ value }) => (value as Plain).text,
};
/** Precedes the parser's own tags, so that it reads every plain scalar except `<<`. */
const READ_PLAIN: ScalarTag = { ...PLAIN, test: /^(?!<<$)/ };

/** The documents with the value that Go reads for each Plain. */
export const valuesOf = <T>(documents: T): T => mapScalars(documents, (value) => (value instanceof Plain ? value.value : value)) as T;

/** Prints documents deterministically: keys in their order, no folded lines, and quotes where YAML 1.1 or Go reads another type. */
export async function printDocuments(documents: readonly unknown[]): Promise<string> {
  const { Scalar, stringify } = await import("yaml");
  const quoted = (text: string) => Object.assign(new Scalar(text), { type: Scalar.QUOTE_DOUBLE });
  return documents
    .map((document) => mapScalars(document, (value) => (typeof value === "string" && ONLY_GO.test(value) ? quoted(value) : value)))
    .map((document) =>
      stringify(document, {
        customTags: (tags) => [PLAIN, ...tags],
        lineWidth: 0,
        compat: "yaml-1.1",
        aliasDuplicateObjects: false,
      }),
    )
    .join("---\n");
}

/** Strings that Go reads as numbers, unlike every version of YAML. */
const ONLY_GO = /^[-+]?0(?:[XOB]|_*o)[0-9A-Fa-f_]+$/;

const isReference = (value: unknown): value is string => typeof value === "string" && value.startsWith("op://");

/** Every reference in the documents once, in order. */
export function referencesOf(documents: unknown): string[] {
  const found = new Set<string>();
  mapScalars(documents, (value) => {
    if (isReference(value)) found.add(value);
    return value;
  });
  return [...found];
}

/** The documents with references replaced by values. Throws when a reference has no value or is only a part of a string. */
export const withValues = <T>(documents: T, values: ReadonlyMap<string, string>): T =>
  mapScalars(documents, (value, path) => {
    if (isReference(value)) {
      const secret = values.get(value);
      if (secret === undefined) throw new Error(`${path}: ${value} was not resolved`);
      return secret;
    }
    if (typeof value === "string" && value.includes("op://")) throw new Error(`${path}: a reference must be the whole value: ${value}`);
    return value;
  }) as T;

function mapScalars(value: unknown, change: (value: unknown, path: string) => unknown, path = ""): unknown {
  if (Array.isArray(value)) return value.map((one, index) => mapScalars(one, change, `${path}[${index}]`));
  if (value === null || typeof value !== "object" || value instanceof Plain) return change(value, path);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapScalars(inner, change, path ? `${path}.${key}` : key)]));
}
