// The folder for reports, ledger, locks and caches (HOME_OPS_STATE). When it is full or cannot be written, the operator gets one line instead of an errno.
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "./errors.ts";

const WHY: Record<string, string> = {
  ENOSPC: "is full",
  EDQUOT: "is full (quota)",
  EROFS: "is read-only",
  EACCES: "is not accessible to this user",
  EPERM: "is not accessible to this user",
  ENOTDIR: "is not a folder",
  EEXIST: "is not a folder",
};

/** One line: the folder, what is wrong with it, and the variable that sets another one. */
export class StateFolderError extends Failure {
  override name = "StateFolderError";
  constructor(state: string, cause: NodeJS.ErrnoException) {
    const why = WHY[cause.code!] ?? `cannot be used (${cause.code})`;
    const next = "fix that, or set HOME_OPS_STATE to another folder";
    super({ attempted: `use the state folder ${state}`, said: `${why}: ${cause.message}`, next });
    this.message = `the state folder ${state} ${why}: ${next} (${cause.message.split("\n")[0]})`;
  }
}

/** The thrown error; an error of the file system becomes a StateFolderError. */
function inWords(state: string, thrown: unknown): unknown {
  if (!isErrno(thrown)) return thrown;
  return new StateFolderError(state, thrown.code === "ENOENT" ? (refusalOf(state) ?? thrown) : thrown);
}

const isErrno = (thrown: unknown): thrown is NodeJS.ErrnoException => thrown instanceof Error && "code" in thrown && "syscall" in thrown;

/** Node's recursive mkdir fails with ENOENT on a read-only file system; the nearest existing folder shows the real reason. */
function refusalOf(folder: string): NodeJS.ErrnoException | undefined {
  try {
    accessSync(folder, constants.W_OK);
    return undefined;
  } catch (error) {
    if (!isErrno(error)) throw error;
    return error.code === "ENOENT" && dirname(folder) !== folder ? refusalOf(dirname(folder)) : error;
  }
}

/** Runs code that reads or writes below the state folder. */
export function inState<T>(state: string, act: () => T): T {
  try {
    const result = act();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => Promise.reject(inWords(state, error))) as T;
  } catch (error) {
    throw inWords(state, error);
  }
}
