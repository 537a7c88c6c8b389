// YAML that holds references to secrets: values take their place in the parsed document, so none can break it or change the type of what stands there.
import { Failure } from "./errors.ts";

/** The documents of a text, without empty ones. Throws a Failure with every line that is no YAML; `file` is what the person may mend. */
export async function parseDocuments(text: string, file: string): Promise<unknown[]> {
  const { LineCounter, parseAllDocuments } = await import("yaml");
  const { wrongAliases } = await import("./aliases.ts");
  const lineCounter = new LineCounter();
  const parsed = [...parseAllDocuments(text, { prettyErrors: true, logLevel: "silent", lineCounter })];
  const wrong = parsed.flatMap((document) => [
    ...document.errors.map(({ message }) => message.split("\n")[0]!),
    ...wrongAliases(document).map(({ offset, text }) => `${text} at line ${lineCounter.linePos(offset).line}`),
  ]);
  if (wrong.length > 0)
    throw new Failure({ attempted: `read ${file} as YAML`, said: wrong.join("\n"), now: "nothing was changed", next: `fix ${file}` });
  return parsed.map((document): unknown => document.toJS()).filter((document) => document !== null && document !== undefined);
}

/** One text, the same for the same documents: keys as they come, no line folded, and quotes where YAML 1.1 (Go's) would read something else. */
export async function printDocuments(documents: readonly unknown[]): Promise<string> {
  const { stringify } = await import("yaml");
  return documents.map((document) => stringify(document, { lineWidth: 0, compat: "yaml-1.1", aliasDuplicateObjects: false })).join("---\n");
}

const isReference = (value: unknown): value is string => typeof value === "string" && value.startsWith("op://");

/** Every reference of some documents, each once, in their order. */
export function referencesOf(documents: unknown): string[] {
  const found = new Set<string>();
  mapScalars(documents, (value) => {
    if (isReference(value)) found.add(value);
    return value;
  });
  return [...found];
}

/** The same documents with each reference's value in its place. Throws when one has none, or stands in the middle of a text. */
export const withValues = <T>(documents: T, values: ReadonlyMap<string, string>): T =>
  mapScalars(documents, (value, path) => {
    if (isReference(value)) {
      const secret = values.get(value);
      if (secret === undefined) throw new Error(`${path}: nobody resolved ${value}`);
      return secret;
    }
    if (typeof value === "string" && value.includes("op://")) throw new Error(`${path}: a reference must be the whole value: ${value}`);
    return value;
  }) as T;

function mapScalars(value: unknown, change: (value: unknown, path: string) => unknown, path = ""): unknown {
  if (Array.isArray(value)) return value.map((one, index) => mapScalars(one, change, `${path}[${index}]`));
  if (value === null || typeof value !== "object") return change(value, path);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapScalars(inner, change, path ? `${path}.${key}` : key)]));
}
