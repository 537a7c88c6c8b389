// Finds simulated homes on this machine. A home is a separate process; this file knows only its folder and its executables.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../run/errors.ts";
import { lives, whenPresentNow } from "../run/files.ts";

/** The folder of a home, by name, under the state folder. */
export function homeFolder(state: string, name: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new UsageError(`--name (NAME=) cannot be "${name}": use lower-case letters, digits and dashes`);
  return resolve(state, "homes", name);
}

export interface Standing {
  /** Process id of the running home. */
  pid: number | undefined;
  /** Whether the folder holds a home, running or not. */
  there: boolean;
  /** The folder of its socket. It is elsewhere because the path of a socket must be short; a killed home leaves it behind. */
  socket: string | undefined;
}

/** Reads the state of a home from its folder. */
export function lookAt(folder: string): Standing {
  const file = join(folder, "home.json");
  const there = existsSync(join(folder, "world.json"));
  const text = whenPresentNow(() => readFileSync(file, "utf8")); // a home that closes removes it
  if (text === undefined) return { pid: undefined, there, socket: undefined };
  const { pid, socket } = JSON.parse(text) as { pid: number; socket: string };
  const own = /\/home-\w+\/s$/.test(socket); // nothing else is removed
  return { pid: existsSync(socket) && lives(pid) ? pid : undefined, there, socket: own ? dirname(socket) : undefined };
}

/** The command of a lab target for this home: `task lab:run NAME=two`. */
export const labTask = (target: string, name: string) => `task lab:${target}${name === USUAL_NAME ? "" : ` NAME=${name}`}`;

/** The default name of a home. */
export const USUAL_NAME = "lab";

/** Path of an executable of the home: `home`, or the stand-in of a tool. */
export const executable = (folder: string, name: string) => join(folder, "bin", name);
