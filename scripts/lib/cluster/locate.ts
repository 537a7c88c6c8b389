// Parses YAML, finds the line of a field, and rewords the parser's errors.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { wrongAliases } from "../text/aliases.ts";
import type { Note, Path } from "./findings.ts";

export interface Located {
  /** null for an empty text. */
  value: unknown;
  /** The line of a field's key, or of a list's entry; for what is not there, that of the nearest part above it. Counted from 1. */
  lineOf(path: Path): number;
  /** A number, a boolean or a null as it was typed (`0x10`, `1.10`, `Yes`); undefined for text, for sections and for what is missing. */
  typedAt(path: Path): string | undefined;
  /** What the parser complains of. */
  complaints: Note[];
  /** It is not valid YAML: nothing else can be said of it. */
  broken: boolean;
}

export function readYaml(text: string): Located {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: (a, b) => sourceOf(a) === sourceOf(b) });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const mistake = document.errors.find(({ code }) => code !== "DUPLICATE_KEY"); // the first; those after it are mostly its echoes
  const complaints = (mistake ? [mistake] : document.errors).map((error) => ({ line: lineAt(error.pos[0]), text: inWords(error, text) }));
  const references = mistake ? [] : wrongReferences(document, lineAt);
  const broken = mistake !== undefined || references.length > 0;
  if (!broken) keepKeysAsTyped(document);
  return {
    value: broken ? undefined : document.toJS({ maxAliasCount: -1 }), // the aliases were checked above
    broken,
    complaints: [...complaints, ...references],
    lineOf: (path) => lineOf(document, path, lineAt),
    typedAt(path) {
      const node = nodeAt(document, path);
      return isScalar(node) && typeof node.value !== "string" ? node.source || undefined : undefined;
    },
  };
}

/** A scalar as typed in the file, before YAML converts it. */
const sourceOf = (node: unknown) => (isScalar(node) ? (node.source ?? String(node.value)) : node);

/** YAML reads the key 1.10 as the number 1.1; in this file every key is text. */
function keepKeysAsTyped(document: Document): void {
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key)) key.value = sourceOf(key);
    },
  });
}

/** Aliases that cannot be read, and keys that are no text. */
function wrongReferences(document: Document, lineAt: (offset: number) => number): Note[] {
  const found = wrongAliases(document).map(({ offset, text }) => ({ line: lineAt(offset), text }));
  const note = (key: unknown, text: string) => found.push({ line: lineAt((isNode(key) && key.range?.[0]) || 0), text });
  visit(document, {
    Pair(_, { key }) {
      if (isAlias(key)) note(key, `*${key.source}: a key cannot be an alias (write the key)`);
      else if (!isScalar(key)) note(key, "a list or a section cannot be a key (write a word)");
    },
  });
  return found;
}

/** The node of a field, through aliases; undefined for what is missing. */
function nodeAt(document: Document, path: Path): unknown {
  const target = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  return path.reduce<unknown>((node, step) => {
    if (isMap(node)) return target(node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))?.value);
    return isSeq(node) ? target(node.items[Number(step)]) : undefined;
  }, target(document.contents));
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

/** Rewords the parser's messages, which are about its grammar, for the reader of the file. */
function inWords({ code, message, pos }: YAMLError, text: string): string {
  const line = text
    .slice(text.lastIndexOf("\n", pos[0] - 1) + 1)
    .split("\n")[0]!
    .trim();
  if (code === "DUPLICATE_KEY")
    return `${/^([^\s:]+)\s*:/.exec(text.slice(pos[0]))?.[1] ?? line}: is set twice in the same section (remove one)`;
  if (code === "TAB_AS_INDENT") return "is not valid YAML: a tab indents this line (use two spaces)";
  if (code === "MULTIPLE_DOCS") return "begins a second document (the file holds one home; remove this ---)";
  return `is not valid YAML: ${message} (at: ${line.slice(0, 60)})`;
}
