// Finds the real tools that `npm run tools:build` has built, or that REAL_TOOLS=<folder>[:<folder>…] has; builds nothing.
import { existsSync } from "node:fs";
import { delimiter, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../scripts/lib/run/errors.ts";
import { binFolder, cacheFolder, placesOf } from "./cache.ts";
import { readTable } from "./table.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface Tools {
  /** The path of one tool's binary; throws one line when it is missing. */
  bin(name: string): string;
  /** The paths of these tools by name; throws one line that names every missing one. */
  pick(names: readonly string[]): Record<string, string>;
  /** Every tool's path by name; throws one line that names every missing one. */
  readonly all: Record<string, string>;
  /** One entry for a PATH, with a link to each of them; throws one line when it is missing. */
  readonly folder: string;
}

/** The tools as they are now. Throws one line where they cannot even be looked for: no Go and not all in REAL_TOOLS, or a wrong version there. */
export function builtTools(env: NodeJS.ProcessEnv = process.env, root = ROOT): Tools {
  const places = placesOf(readTable(root), env);
  const pick = (names: readonly string[]) => {
    const binaries = names.map((name) => {
      const place = places.find(({ tool }) => tool.name === name);
      if (place === undefined) throw new UsageError(`${name} is no tool of test/tools/tools.yaml`);
      return [name, place.binary] as const;
    });
    const missing = binaries.filter(([, binary]) => !existsSync(binary)).map(([name]) => name);
    if (missing.length > 0) throw new UsageError(`real tools are missing: ${missing.join(", ")}; ${HINT}`);
    return Object.fromEntries(binaries);
  };
  return {
    pick,
    bin: (name) => pick([name])[name]!,
    get all() {
      return pick(places.map(({ tool: { name } }) => name));
    },
    get folder() {
      const folder = binFolder(places, cacheFolder(env));
      if (!existsSync(folder)) throw new UsageError(`the folder of the real tools is missing: ${folder}; ${HINT}`);
      return folder;
    },
  };
}

const HINT = "npm run tools:build builds them, and REAL_TOOLS names folders that have them (docs/rehearsal.md)";

/** The variables that decide where the tools are found, with absolute paths: for a process in another folder. */
export const whereTools = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    (["REAL_TOOLS", "HOME_OPS_TOOLS", "XDG_CACHE_HOME"] as const).flatMap((name) =>
      env[name]
        ? [
            [
              name,
              env[name]
                .split(delimiter)
                .filter(Boolean)
                .map((folder) => resolve(folder))
                .join(delimiter),
            ],
          ]
        : [],
    ),
  );
