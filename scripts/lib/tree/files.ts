// Reads each file of a tree once. A file that is too large, binary, not YAML or a link out of the tree is a finding, not a crash.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, normalize, relative } from "node:path";
import { whenPresentNow } from "../run/files.ts";
import { type Documents, lineOfPath, readDocuments } from "./parse.ts";
import type { Finding } from "./types.ts";

/** Git hosts and etcd both refuse far less than this; parsing more would take minutes. */
const MAX_BYTES = 10 * 1024 * 1024;

export interface Files {
  /** Absolute. */
  readonly base: string;
  /** The text of a file by its path from `base`; undefined, and a finding, when it cannot be read. */
  text(path: string): string | undefined;
  /** The bytes of a file that need not be text: what a generator packs. */
  bytes(path: string): Buffer | undefined;
  /** Its YAML documents; a document with a fault is left out and is a finding. */
  documents(path: string): Documents["documents"];
  /** Whether something in it is no YAML: kustomize refuses the whole file. */
  isFaulty(path: string): boolean;
  is(path: string): "file" | "folder" | undefined;
  /** The names in a folder, sorted. */
  names(path: string): string[];
  /** Every file under a folder that fits, from `base`, sorted; links to folders are not followed. */
  under(folder: string, fits: (path: string) => boolean): string[];
  /** The line of a path inside the nth document of a file. */
  lineOf(path: string, document: number, keys: readonly (string | number)[]): number;
  /** Every file that was read. */
  readonly used: Set<string>;
}

/** A link that leads nowhere, or to itself, is nothing. */
function kindOf(path: string): "file" | "folder" | undefined {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? "folder" : stat.isFile() ? "file" : undefined;
  } catch {
    return undefined;
  }
}

/** The content of a file, or only its size if that is more than `most`. The size is that of the open file, which stays the same file until it is read. */
function readAtMost(path: string, most: number): { content: Buffer } | { size: number } {
  const handle = openSync(path, "r");
  try {
    const { size } = fstatSync(handle);
    return size > most ? { size } : { content: readFileSync(handle) };
  } finally {
    closeSync(handle);
  }
}

/** The parser's word for a fault, and what to do about it. */
function wordsFor(message: string): { message: string; why: string; fix: string } {
  if (message.startsWith("Excessive alias count"))
    return {
      message: "its aliases (*name) unfold to far more than is written",
      why: "reading it would exhaust the memory; Flux refuses such a file and applies nothing of its Kustomization",
      fix: "write the values out, or use fewer aliases of aliases",
    };
  return {
    message,
    why: "Flux cannot build a Kustomization with a file that is no YAML: nothing of it is applied",
    fix: /unique/.test(message) ? "remove one of the two keys: only one value is kept" : "fix the line",
  };
}

/** Opens a folder. Each fault of a file is passed to `report` once. */
export function openFiles(base: string, report: (finding: Finding) => void): Files {
  const real = realpathSync(base);
  const texts = new Map<string, string | undefined>();
  const parsed = new Map<string, Documents["documents"]>();
  const kinds = new Map<string, "file" | "folder" | undefined>();
  const faulty = new Set<string>();
  const told = new Set<string>();
  const used = new Set<string>();

  const tell = (file: string, message: string, fix: string, line = 1): undefined => {
    if (told.has(`${file}:${line} ${message}`)) return undefined;
    told.add(`${file}:${line} ${message}`);
    report({
      rule: "file",
      level: "error",
      file,
      line,
      message,
      why: "Flux cannot build what it cannot read: nothing beside it is applied",
      fix,
    });
  };

  const bytes = (path: string): Buffer | undefined => {
    const file = normalize(path);
    used.add(file);
    if (file.startsWith("..") || isAbsolute(file))
      return tell(file, "lies outside the tree", "keep it in the repository: Flux sees nothing else");
    const full = join(base, file);
    try {
      const target = realpathSync(full);
      if (relative(real, target).startsWith(".."))
        return tell(file, "is a link out of the tree", "put the file itself there: Flux's copy of the repository has nothing else");
      const read = readAtMost(target, MAX_BYTES);
      if ("size" in read)
        return tell(file, `is ${(read.size / 1024 / 1024).toFixed(1)} MB, larger than 10 MB`, "keep large files out of the tree");
      return read.content;
    } catch (error) {
      return tell(file, `cannot be read: ${(error as NodeJS.ErrnoException).code}`, "put the file there, or take out what names it");
    }
  };

  const text = (path: string): string | undefined => {
    const file = normalize(path);
    if (texts.has(file)) return texts.get(file);
    const content = bytes(file);
    const binary = content?.subarray(0, 8192).includes(0);
    if (binary) tell(file, "is a binary file", "name it in a configMapGenerator, not among resources");
    const read = binary ? undefined : content?.toString("utf8");
    texts.set(file, read);
    return read;
  };

  const documents = (path: string): Documents["documents"] => {
    const file = normalize(path);
    const known = parsed.get(file);
    if (known) return known;
    const content = text(file);
    const { documents, faults } = content === undefined ? { documents: [], faults: [] } : readDocuments(content);
    if (content === undefined || faults.length > 0) faulty.add(file);
    for (const { line, message } of faults)
      report({
        rule: "yaml",
        level: "error",
        file,
        line,
        ...wordsFor(message),
      });
    parsed.set(file, documents);
    return documents;
  };

  const is = (path: string) => {
    const file = normalize(path);
    if (!kinds.has(file)) {
      kinds.set(file, kindOf(join(base, file)));
    }
    return kinds.get(file);
  };

  return {
    base,
    text,
    bytes,
    documents,
    isFaulty: (path) => {
      documents(path);
      return faulty.has(normalize(path));
    },
    is,
    names: (path) => (whenPresentNow(() => readdirSync(join(base, path))) ?? []).sort(),
    under: (folder, fits) =>
      (whenPresentNow(() => readdirSync(join(base, folder), { recursive: true, withFileTypes: true })) ?? [])
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(base, join(entry.parentPath, entry.name)))
        .filter(fits)
        .sort(),
    lineOf: (path, document, keys) => (is(path) === "file" ? (lineOfPath(text(path) ?? "", document, keys) ?? 1) : 1),
    used,
  };
}
