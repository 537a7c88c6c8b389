// Reads files that may be absent, and writes files atomically and with the right mode. Each write is an effect.
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { effect, type Until } from "./effects.ts";

export interface Writing {
  mode?: number;
  door?: "file" | "ledger";
  until?: Until;
}

/** Writes a file as an effect; see replaceFile. */
export const writeFile = (
  file: string,
  text: string,
  { mode = 0o644, door = "file" as "file" | "ledger", until }: Writing = {},
): Promise<void> => effect(door, `write ${file}`, () => replaceFile(file, text, mode), until);

/** Writes a temporary file in the same folder and renames it over the file. A reader, and the run after a kill, sees the old text or the new one, never a part. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await removeLeftovers(dirname(file));
  const draft = join(dirname(file), `.${basename(file)}.${process.pid}.${randomBytes(4).toString("hex")}.draft`);
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Removes a file, if it exists. */
export const removeFile = (file: string, { door = "file", until }: Omit<Writing, "mode"> = {}) =>
  effect(door, `remove ${file}`, () => rm(file, { force: true }), until);

/** The file's text, or undefined if the file does not exist. */
export const readIfThere = (file: string): Promise<string | undefined> => whenPresent(readFile(file, "utf8"));

/** The result, or undefined if the file or folder does not exist. A check beforehand would not do: another process may remove the file after it. */
export async function whenPresent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The result of a synchronous read, or undefined if the file or folder does not exist. */
export function whenPresentNow<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** ENOTDIR: a file stands where the path has a folder. */
const isAbsent = (error: unknown) => ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Removes drafts of runs that were killed between write and rename. Drafts of running processes stay. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^\..*\.(\d+)\.[0-9a-f]{8}\.draft$/.exec(name)?.[1] ?? 0);
    if (pid > 0 && !lives(pid)) await rm(join(folder, name), { force: true });
  }
}

export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
