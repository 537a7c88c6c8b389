// Which file of the project imports which: static, type-only and dynamic imports alike.
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { posix } from "node:path";

/** Paths from the project's root, each with the project's files that it imports. */
export type Imports = ReadonlyMap<string, readonly string[]>;

const SPECIFIER = /(?:^|[^\w.$])(?:from|import)\s*\(?\s*(["'`])(\.{1,2}\/[^"'`\s$]+)\1/gm;

/** Reads the imports of every tracked or new TypeScript and JavaScript module below these folders. */
export function readImports(folders: readonly string[]): Imports {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...folders], { encoding: "utf8" });
  const files = new Set(listed.split("\n").filter((file) => /\.m?[tj]s$/.test(file) && !/\.d\.m?ts$/.test(file)));
  return new Map(
    [...files].map((file) => [file, importsOf(readFileSync(file, "utf8"), file).filter((target) => files.has(target))] as const),
  );
}

/** The relative imports of one module, as paths from the project's root. */
export const importsOf = (text: string, file: string): string[] =>
  [...text.replaceAll(/^\s*(?:\/\/|\*).*$/gm, "").matchAll(SPECIFIER)].map(([, , specifier]) =>
    posix.join(posix.dirname(file), specifier!),
  );

/** One cycle of each group of modules that import each other, as `a -> b -> a`; sorted. Tarjan's algorithm finds the groups. */
export function cyclesOf(imports: Imports): string[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || imports.get(file)?.includes(file)) cycles.push(cycleIn(imports, group.sort()));
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return cycles.sort();
}

/** The shortest cycle through the first module of a group: a breadth-first search from the module back to itself. */
function cycleIn(imports: Imports, group: readonly string[]): string {
  const start = group[0]!;
  const paths = [[start]];
  for (const path of paths) {
    const targets = (imports.get(path.at(-1)!) ?? []).filter((target) => group.includes(target));
    if (targets.includes(start)) return [...path, start].join(" -> ");
    paths.push(...targets.filter((target) => !paths.some((other) => other.at(-1) === target)).map((target) => [...path, target]));
  }
  throw new Error(`no cycle in ${group.join(", ")}`);
}
