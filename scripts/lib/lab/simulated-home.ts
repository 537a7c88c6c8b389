// Where simulated homes lie on this machine and whether they are up. The home itself is a process of its own: only its folder and its executables are known here.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../run/errors.ts";
import { lives } from "../run/files.ts";

/** Homes by name, side by side, under the state folder. */
export function homeFolder(state: string, name: string): string {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) throw new UsageError(`--name (NAME=) does not know "${name}": small letters, digits and dashes`);
  return resolve(state, "homes", name);
}

export interface Standing {
  /** The process that serves it, while it is up. */
  pid: number | undefined;
  /** Whether there is a world in the folder, up or not. */
  there: boolean;
  /** The folder of its socket, elsewhere since a socket's path must be short; one that was killed leaves it. */
  socket: string | undefined;
}

/** Looks at a home's folder. */
export function lookAt(folder: string): Standing {
  const file = join(folder, "home.json");
  const there = existsSync(join(folder, "world.json"));
  const text = readNow(file);
  if (text === undefined) return { pid: undefined, there, socket: undefined };
  const { pid, socket } = JSON.parse(text) as { pid: number; socket: string };
  const own = /\/home-\w+\/s$/.test(socket); // nothing else is ever removed
  return { pid: existsSync(socket) && lives(pid) ? pid : undefined, there, socket: own ? dirname(socket) : undefined };
}

/** The text of a file that the home removes when it closes; undefined then. */
function readNow(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** How a target of this home is typed: `task lab:run NAME=two`. */
export const labTask = (target: string, name: string) => `task lab:${target}${name === USUAL_NAME ? "" : ` NAME=${name}`}`;

/** What a home is called when nobody gives it a name. */
export const USUAL_NAME = "lab";

/** An executable of the home: `home` itself, or the stand-in of a tool. */
export const executable = (folder: string, name: string) => join(folder, "bin", name);
