// Test trees in one file each, in Go's txtar form: `-- path --`, then the file's text. What a tree must have and does not say is added.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { ROOT } from "./tree.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/lint");
const made: string[] = [];
afterAll(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export interface TestTree {
  /** `kustomize/patches`: the rule, and the case. */
  name: string;
  /** What it is about: the text before the first file. */
  about: string;
  files: Record<string, string>;
  /** What the lint says of it: the part called `expected`. */
  expected?: string;
}

/** Every test tree. */
export const testTrees = (): TestTree[] =>
  readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".txtar"))
    .sort()
    .map((path) => readTxtar(path.replace(/\.txtar$/, ""), readFileSync(join(FOLDER, path), "utf8")));

/** Reads one; a tree without flux/ gets a root that applies everything under kubernetes/apps. */
export function readTxtar(name: string, text: string): TestTree {
  const [about = "", ...parts] = text.split(/^-- (.+) --\n/m);
  const files: Record<string, string> = {};
  for (let at = 0; at < parts.length; at += 2) files[parts[at]!] = parts[at + 1]!;
  if (!Object.keys(files).some((path) => path.startsWith("kubernetes/flux/"))) Object.assign(files, ROOT());
  const { expected, ...rest } = files;
  return { name, about: about.trim(), files: rest, ...(expected !== undefined && { expected }) };
}

/** Writes a tree to a folder that is gone after the tests. */
export function write({ files }: Pick<TestTree, "files">): string {
  const root = mkdtempSync(join(tmpdir(), "lint-tree-"));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}
