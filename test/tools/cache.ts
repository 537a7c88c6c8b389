// Where a built tool is: in a folder whose name says from what it was built, so that nothing stale is ever found.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { givenTool } from "./given.ts";
import { GOFLAGS, goHere } from "./go.ts";
import type { BuiltTool } from "./table.ts";

/** The folder outside the tree that built tools outlive a clone in. */
export const cacheFolder = ({ HOME_OPS_TOOLS, XDG_CACHE_HOME }: NodeJS.ProcessEnv) =>
  HOME_OPS_TOOLS || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "home-ops-tools");

/** What the linker is told: nothing that only a debugger needs, and what the table says. */
export const linkerFlags = ({ ldflags }: BuiltTool) => ["-s -w", ldflags].filter(Boolean).join(" ");

/** Twelve letters for all that a build depends on: what is built how, every file of its module, and the Go that builds (version and platform). */
export function keyOf(tool: BuiltTool, go: string): string {
  const { name, folder, package: main, embeds = "", modfile } = tool;
  const parts = [go, GOFLAGS, name, main, linkerFlags(tool), embeds, ...(modfile === undefined ? [] : [modfile])];
  const hash = createHash("sha256").update(JSON.stringify(parts));
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(mod|sum|go)$/.test(file)) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

export interface Place {
  tool: BuiltTool;
  /** Somebody else's: it is neither built nor ever removed. */
  given: boolean;
  key: string;
  /** The folder that holds this one binary. */
  folder: string;
  binary: string;
}

/** Where each tool is, or will be once it is built. Go is asked for only when there is a tool that nobody has installed. */
export function placesOf(table: BuiltTool[], env: NodeJS.ProcessEnv, { go = goHere, given = givenTool } = {}): Place[] {
  const cache = cacheFolder(env);
  let version: string | undefined;
  return table.map((tool) => {
    const theirs = given(tool, env.REAL_TOOLS, cache);
    if (theirs !== undefined) return { tool, given: true, key: theirs, folder: dirname(theirs), binary: theirs };
    const key = keyOf(tool, (version ??= go(env)));
    const folder = join(cache, "built", `${tool.name}-${key}`);
    return { tool, given: false, key, folder, binary: join(folder, tool.name) };
  });
}

/** The one folder that has a link to every tool of this table: what goes on a PATH. */
export const binFolder = (places: Place[], cache: string): string => join(cache, `bin-${digest(places.map(({ key }) => key).join("\0"))}`);

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);
