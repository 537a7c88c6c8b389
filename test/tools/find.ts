// Finds the real tools that `task tools:build` has built; builds nothing. REAL_TOOLS=<folder> takes them from there, as where mise has installed them.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../scripts/lib/errors.ts";
import { binFolder, cacheFolder, placesOf } from "../../scripts/lib/tools/cache.ts";
import { goHere } from "../../scripts/lib/tools/go.ts";
import { readTable } from "../../scripts/lib/tools/table.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface Tools {
  /** The path of one tool's binary; throws one line when it is not there. */
  bin(name: string): string;
  /** Every tool's path by name; throws one line when one is missing. */
  readonly all: Record<string, string>;
  /** One entry for a PATH that has them all. */
  folder: string;
}

/** The tools as they are now. Throws one line where they cannot be found, as without Go and without REAL_TOOLS. */
export function builtTools(env: NodeJS.ProcessEnv = process.env, root = ROOT): Tools {
  const table = readTable(root);
  const given = env.REAL_TOOLS;
  const cache = cacheFolder(env);
  const places = given ? [] : placesOf(table, cache, goHere(env));
  const folder = given ? resolve(given) : binFolder(places, cache);
  const next = given ? `REAL_TOOLS=${given} does not have it` : "task tools:build";
  const binaries = given
    ? table.map(({ name }): [string, string] => [name, join(folder, name)])
    : places.map(({ tool, binary }): [string, string] => [tool.name, binary]);
  const paths = new Map(binaries);
  const bin = (name: string) => {
    const binary = paths.get(name);
    if (binary === undefined) throw new UsageError(`${name} is no tool of test/tools/tools.yaml`);
    if (!existsSync(binary)) throw new UsageError(`the real ${name} is not there: ${next}`);
    return binary;
  };
  return {
    bin,
    get all() {
      return Object.fromEntries(table.map(({ name }) => [name, bin(name)]));
    },
    folder,
  };
}
