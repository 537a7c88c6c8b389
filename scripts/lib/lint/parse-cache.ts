// What was parsed before is not parsed again: documents by the hash of their text, in one file that several runs may share.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { Parse } from "../tree/files.ts";
import { type Documents, readDocuments } from "../tree/parse.ts";

/** Raised when the parser reads something else from the same text. */
const FORMAT = 1;

export interface ParseCache {
  parse: Parse;
  /** Keeps what this run read, if anything of it is new. A cache that cannot be written is only slower. */
  keep(): void;
}

/** Opens the cache of a folder; one that is missing, damaged or of another format is empty. */
export function openParseCache(folder: string): ParseCache {
  const file = join(folder, `documents-${FORMAT}-${process.version}.bin`);
  const known = read(file);
  const used = new Map<string, Documents>();
  let isNew = false;
  return {
    parse(text) {
      const key = createHash("sha1").update(text).digest("base64");
      const found = known.get(key);
      const documents = found ?? readDocuments(text);
      if (!found) isNew = true;
      used.set(key, documents);
      return documents;
    },
    keep() {
      if (!isNew && used.size === known.size) return;
      const own = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`; // whole or not at all, also when two runs end at once
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(own, serialize(used));
        renameSync(own, file);
      } catch (error) {
        if (!(error instanceof Error && "code" in error)) throw error;
        rmSync(own, { force: true });
      }
    },
  };
}

function read(file: string): Map<string, Documents> {
  try {
    const content: unknown = deserialize(readFileSync(file));
    return content instanceof Map ? (content as Map<string, Documents>) : new Map<string, Documents>();
  } catch {
    return new Map();
  }
}
