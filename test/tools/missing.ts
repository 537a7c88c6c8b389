// Builds the tools that are missing, two at a time, and lays them out as one folder for a PATH.
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, symlink, utimes } from "node:fs/promises";
import { join, relative } from "node:path";
import { binFolder, type Place } from "./cache.ts";
import { whenPresent } from "../../scripts/lib/run/files.ts";
import { BuildError } from "./compile.ts";

/** One compile fills its cores only in parts; more than two at once want more memory than a small machine has. */
const AT_ONCE = 2;
/** How long what no run has asked for is kept: other clones may still be at an older version. */
const KEEP_MS = 30 * 24 * 3600_000;

export interface Builder {
  compile(place: Place): Promise<void>;
  say(line: string): void;
  now(): number;
}

/** Builds what is missing; what could not be built comes back, by the line that says why. After a trouble that concerns all, no other build is begun. */
export async function buildMissing(places: Place[], { compile, say, now }: Builder): Promise<Map<string, string[]>> {
  const failed = new Map<string, string[]>();
  const left = places.filter(({ tool: { name, version }, given, binary }) => {
    const there = existsSync(binary);
    if (there) say(`${name} ${version}: ${given ? binary : "cached"}`);
    return !there;
  });
  const worker = async () => {
    for (let place = left.shift(); place; place = left.shift()) {
      const { name, version } = place.tool;
      const began = now();
      say(`${name} ${version}: building`);
      try {
        await compile(place);
        say(`${name} ${version}: built in ${Math.round((now() - began) / 1000)} s`);
      } catch (error) {
        if (!(error instanceof BuildError) || error.everywhere) left.length = 0;
        if (!(error instanceof BuildError)) throw error;
        failed.set(error.message, [...(failed.get(error.message) ?? []), `${name} ${version}`]);
        say(`${name} ${version}: failed`);
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return failed;
}

/** Makes the folder with a link to each tool; whole or not at all. */
export async function linkAll(places: Place[], cache: string): Promise<string> {
  const folder = binFolder(places, cache);
  if ((await whenPresent(readdir(folder))) !== undefined) return folder;
  const draft = join(cache, "built", `.bin.${process.pid}.draft`);
  try {
    await mkdir(draft, { recursive: true });
    for (const { tool, binary } of places) await symlink(relative(folder, binary), join(draft, tool.name));
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY") throw error; // another run was quicker
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

/** Notes that these are in use, and removes what no run has used for a month. */
export async function prune(places: Place[], cache: string, now: Date): Promise<void> {
  const inUse = [binFolder(places, cache), ...places.filter(({ given }) => !given).map(({ folder }) => folder)];
  for (const folder of inUse) await utimes(folder, now, now);
  for (const folder of [...(await ours(cache, /^bin-[0-9a-f]{12}$/)), ...(await ours(join(cache, "built"), /^[^.].*-[0-9a-f]{12}$/))]) {
    const used = (await whenPresent(stat(folder)))?.mtimeMs ?? Infinity;
    if (now.getTime() - used > KEEP_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** The cache has other things than ours, and drafts of other runs. */
const ours = async (folder: string, pattern: RegExp) =>
  (await readdir(folder)).filter((name) => pattern.test(name)).map((name) => join(folder, name));
