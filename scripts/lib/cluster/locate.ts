// A YAML text as values, with the way back from a field to its line, and the parser's complaints in our words.
import { type Document, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import type { Note, Path } from "./findings.ts";

export interface Located {
  /** null for an empty text. */
  value: unknown;
  /** The line of a field's key, or of a list's entry; for what is not there, that of the nearest part above it. Counted from 1. */
  lineOf(path: Path): number;
  /** What the parser complains of. */
  complaints: Note[];
  /** It is no YAML: nothing else can be said of it. */
  broken: boolean;
}

export function readYaml(text: string): Located {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const mistake = document.errors.find(({ code }) => code !== "DUPLICATE_KEY"); // the first; those after it are mostly its echoes
  const complaints = (mistake ? [mistake] : document.errors).map((error) => ({ line: lineAt(error.pos[0]), text: inWords(error, text) }));
  return {
    value: mistake ? undefined : document.toJS(),
    broken: mistake !== undefined,
    complaints,
    lineOf: (path) => lineOf(document, path, lineAt),
  };
}

function lineOf(document: Document, path: Path, lineAt: (offset: number) => number): number {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = (pair.key as Node).range?.[0];
      node = pair.value;
    } else if (isSeq(node)) {
      const entry: unknown = node.items[Number(step)];
      if (entry === undefined || isPair(entry)) break;
      offset = (entry as Node).range?.[0];
      node = entry;
    } else break;
  }
  return offset === undefined ? 1 : lineAt(offset);
}

/** The parser's words are about its grammar; these are about the file. */
function inWords({ code, message, pos }: YAMLError, text: string): string {
  const line = text
    .slice(text.lastIndexOf("\n", pos[0] - 1) + 1)
    .split("\n")[0]!
    .trim();
  if (code === "DUPLICATE_KEY")
    return `${/^([^\s:]+)\s*:/.exec(text.slice(pos[0]))?.[1] ?? line}: stands twice in the same section (remove one)`;
  if (code === "TAB_AS_INDENT") return "is no YAML: a tab indents this line (use two spaces)";
  if (code === "MULTIPLE_DOCS") return "begins a second document (the file holds one home; remove this ---)";
  return `is no YAML: ${message} (at: ${line.slice(0, 60)})`;
}
