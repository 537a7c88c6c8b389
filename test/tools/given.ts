// Tools that somebody else has installed: REAL_TOOLS is a search path, as PATH is (`REAL_TOOLS=$PATH` with mise). They are taken if they are of the right version.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { UsageError } from "../../scripts/lib/run/errors.ts";
import type { BuiltTool } from "./table.ts";

/** What a tool prints when it is asked for its version. */
export type AskVersion = (binary: string, words: string[]) => string;

/** The tool's binary on the search path; undefined for one that is not there, or that nobody else can have. Throws one line for a wrong version. */
export function givenTool(tool: BuiltTool, path: string | undefined, cache: string, ask: AskVersion = askVersion): string | undefined {
  if (!path || typeof tool.mise === "object") return undefined;
  const binary = path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => resolve(folder, tool.name))
    .find((file) => existsSync(file));
  if (binary !== undefined) refuseWrongVersion(tool, binary, cache, ask);
  return binary;
}

/** Whether what a tool printed names this version, and not one that merely begins like it. */
export const names = (printed: string, version: string) =>
  new RegExp(`(^|[^\\d.])${version.replace(/^v/, "").replaceAll(".", "\\.")}(?![\\d.]*\\d|-)`).test(printed);

/** Asks a binary once: that it is right is noted, by what it is and what was expected of it. */
function refuseWrongVersion({ name, version, asks }: BuiltTool, binary: string, cache: string, ask: AskVersion): void {
  if (!asks) return;
  const { size, mtimeMs } = statSync(binary);
  const note = join(
    cache,
    "right",
    createHash("sha256")
      .update(JSON.stringify([binary, size, mtimeMs, asks, version]))
      .digest("hex"),
  );
  if (existsSync(note)) return;
  const said = ask(binary, asks).trim();
  if (!names(said, version))
    throw new UsageError(`${binary} is not ${name} ${version}, it says ${JSON.stringify(said)}: leave it out of REAL_TOOLS`);
  mkdirSync(join(cache, "right"), { recursive: true });
  writeFileSync(note, `${binary} is ${version}\n`);
}

function askVersion(binary: string, words: string[]): string {
  const { stdout, stderr, error } = spawnSync(binary, words, { encoding: "utf8", timeout: 30_000, stdio: ["ignore", "pipe", "pipe"] });
  return error ? error.message : `${stdout}\n${stderr}`;
}
