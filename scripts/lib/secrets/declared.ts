// The declarations beside the applications: every secret-sources.yaml below kubernetes/ as entries.
import { basename } from "node:path/posix";
import { SECRET_SOURCES } from "../tree/data-files.ts";
import type { Files } from "../tree/files.ts";
import { expand } from "../tree/substitute/envsubst.ts";
import { readDeclaration } from "./declaration.ts";
import { entriesOf, type Entry, type Fetching, referenceOf } from "./entry.ts";

/** An entry, and its place in the file. */
export interface Declared extends Entry {
  file: string;
  line: number;
}

export interface Declarations {
  /** By the order that the files give, then by their paths. */
  entries: Declared[];
  /** `file:line: what is wrong`; a file with problems declares nothing. */
  problems: string[];
}

export interface Naming {
  /** The vault that the cluster reads. */
  vault: string;
  /** Names of items, by their setting: ITEM_WIKI. */
  items: ReadonlyMap<string, string>;
}

/** Reads every declaration below `root` (kubernetes). */
export function readDeclarations(files: Pick<Files, "under" | "text">, root: string, { vault, items }: Naming): Declarations {
  const problems: string[] = [];
  const found: { order: number; entries: Declared[] }[] = [];
  const places = new Map<string, string>();
  for (const file of files.under(root, (path) => basename(path) === SECRET_SOURCES)) {
    const { value, problems: wrong, lineOf } = readDeclaration(file, files.text(file) ?? "");
    problems.push(...wrong);
    if (!value) continue;
    const entries = value.secrets.flatMap(({ item, purpose, generate, fetch, createdBy, ...fields }, index): Declared[] => {
      const line = lineOf(["secrets", index]);
      const title = titleOf(item, items);
      if (title === undefined)
        problems.push(`${file}:${line}: secrets[${index}].item: ${item} has no value (write it as in the ExternalSecret)`);
      const source = sourceOf(generate, fetch, createdBy);
      return title === undefined
        ? []
        : entriesOf({ vault, item: title }, { source, purpose, ...fields }).map((one) => ({ ...one, file, line }));
    });
    for (const one of entries) {
      const other = places.get(referenceOf(one));
      if (other) problems.push(`${one.file}:${one.line}: ${one.field} of ${one.item} is also declared in ${other} (keep one)`);
      else places.set(referenceOf(one), `${one.file}:${one.line}`);
    }
    found.push({ order: value.order, entries });
  }
  return { entries: found.toSorted((a, b) => a.order - b.order).flatMap(({ entries }) => entries), problems };
}

function titleOf(item: string, items: Naming["items"]): string | undefined {
  try {
    return expand(item, (name) => items.get(name));
  } catch {
    return undefined;
  }
}

function sourceOf(generate: "password" | undefined, fetch: Fetching | undefined, createdBy: string | undefined): Entry["source"] {
  if (generate !== undefined) return { init: generate };
  return fetch === undefined ? { task: createdBy! } : { person: fetch };
}
