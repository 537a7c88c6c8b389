// Finds the real tools that `task tools:build` has built, or that REAL_TOOLS=<folder>[:<folder>…] has; builds nothing.
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../scripts/lib/errors.ts";
import { binFolder, cacheFolder, placesOf } from "../../scripts/lib/tools/cache.ts";
import { readTable } from "../../scripts/lib/tools/table.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface Tools {
  /** The path of one tool's binary; throws one line when it is not there. */
  bin(name: string): string;
  /** Every tool's path by name; throws one line when one is missing. */
  readonly all: Record<string, string>;
  /** One entry for a PATH, with a link to each of them; throws one line when it is not there. */
  readonly folder: string;
}

/** The tools as they are now. Throws one line where they cannot even be looked for: no Go and not all in REAL_TOOLS, or a wrong version there. */
export function builtTools(env: NodeJS.ProcessEnv = process.env, root = ROOT): Tools {
  const places = placesOf(readTable(root), env);
  const bin = (name: string) => {
    const place = places.find(({ tool }) => tool.name === name);
    if (place === undefined) throw new UsageError(`${name} is no tool of test/tools/tools.yaml`);
    return found(place.binary, name);
  };
  return {
    bin,
    get all() {
      return Object.fromEntries(places.map(({ tool: { name } }) => [name, bin(name)]));
    },
    get folder() {
      return found(binFolder(places, cacheFolder(env)), "tools' folder");
    },
  };
}

function found(file: string, what: string): string {
  if (!existsSync(file)) throw new UsageError(`the real ${what} is not there: task tools:build`);
  return file;
}
