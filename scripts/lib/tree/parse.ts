// YAML files as kustomize reads them: every document with the line where it begins, and everything that is wrong with the text.
import { isCollection, isMap, isNode, isPair, isScalar, LineCounter, parseAllDocuments, type Document, type ScalarTag } from "yaml";
import { readPlain } from "./scalars.ts";

export interface Fault {
  line: number;
  message: string;
}

export interface Documents {
  documents: { value: unknown; line: number }[];
  faults: Fault[];
}

/** Every alias of a document may at most make this many nodes: ten lines can otherwise make a billion. */
const MAX_ALIASES = 200;

/** One tag for all plain scalars: Go decides what they are. Nothing at all is undefined and not null: a patch of the object makes it go. */
const PLAIN: ScalarTag = {
  tag: "tag:yaml.org,2002:null",
  default: true,
  identify: () => false,
  test: /^(?=[-+.~0-9nNtTfF]|$)/, // what cannot be anything but a text is left to the parser
  resolve: (text: string) => (text === "" ? undefined : readPlain(text, 3)),
};
const OPTIONS = {
  customTags: (tags: readonly unknown[]) => [...tags.filter((tag) => !/:(null|bool|int|float)$/.test((tag as ScalarTag).tag ?? "")), PLAIN],
  logLevel: "silent",
  merge: true,
  prettyErrors: false,
  uniqueKeys: true,
} as never;

/** Reads a text; a document with a fault is left out, the others stay. */
export function readDocuments(text: string): Documents {
  const lines = new LineCounter();
  const found: Documents = { documents: [], faults: [] };
  for (const document of parseAllDocuments(text, { ...(OPTIONS as object), lineCounter: lines })) {
    const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
    const line = lineOf(document.contents?.range?.[0] ?? document.range?.[0] ?? 0);
    if (document.errors.length > 0) {
      found.faults.push(...document.errors.map(({ message, pos }) => ({ line: lineOf(pos[0]), message: message.split("\n")[0]! })));
      continue;
    }
    if (!text.endsWith("\n")) clipLast(document as Document, text);
    try {
      const value: unknown = (document as Document).toJS({ maxAliasCount: MAX_ALIASES });
      if (value !== null && value !== undefined) found.documents.push({ value, line });
    } catch (error) {
      found.faults.push({ line, message: (error as Error).message });
    }
  }
  return found;
}

/** A block text at the very end of a file without a last line end has none either; the parser adds one. */
function clipLast(document: Document, text: string): void {
  let node: unknown = document.contents;
  while (isCollection(node)) {
    const last: unknown = node.items.at(-1);
    node = isPair(last) ? last.value : last;
  }
  if (!isScalar(node) || !node.type?.startsWith("BLOCK") || typeof node.value !== "string" || !node.value.endsWith("\n")) return;
  const header = text.slice(node.range![0]).split("\n", 1)[0]!;
  if (node.range![1] >= text.length && !header.includes("+")) node.value = node.value.slice(0, -1);
}

/** The line of a path inside one document of a text, or of the nearest part of it that stands there. */
export function lineOfPath(text: string, index: number, path: readonly (string | number)[]): number | undefined {
  const lines = new LineCounter();
  const documents = [...parseAllDocuments(text, { ...(OPTIONS as object), lineCounter: lines })].filter(
    ({ contents, errors }) => contents !== null && errors.length === 0,
  );
  let node: unknown = documents[index]?.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const step of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node) ? node.items.find(({ key }) => String(isNode(key) ? key : key) === String(step)) : undefined;
    const next: unknown = isPair(pair) ? pair.value : node.get(step, true);
    const at = isPair(pair) && isNode(pair.key) ? pair.key.range?.[0] : isNode(next) ? next.range?.[0] : undefined;
    if (at === undefined) break;
    offset = at;
    node = next;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
