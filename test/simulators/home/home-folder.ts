// What a home stands on: one process per folder, a place for its socket, keys that stay the same when it is opened anew.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import type { HomeFile } from "../environment.ts";
import { whenPresent } from "../present.ts";
import type { Authority } from "../world/certificates.ts";

/** Refuses a second process on one world, because they would overwrite each other. Removes what a killed process left. */
export function refuseSecond(file: string): void {
  const text = whenPresent(() => readFileSync(file, "utf8"));
  if (text === undefined) return;
  const { pid, socket } = JSON.parse(text) as HomeFile;
  if (existsSync(socket) && lives(pid)) throw new Error(`a home is up there already, process ${pid}: ${dirname(file)}`);
  rmSync(dirname(socket), { recursive: true, force: true });
  rmSync(file, { force: true });
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A unix socket's path may have some 100 bytes. */
export const socketFolder = () => (tmpdir().length < 60 ? tmpdir() : "/tmp");

/** A key and certificate that stay the same when the home is opened anew. */
export function keepPair(base: string, make: () => Authority): Authority {
  const text = whenPresent(() => readFileSync(`${base}.json`, "utf8"));
  if (text !== undefined) return JSON.parse(text) as Authority;
  mkdirSync(dirname(base), { recursive: true, mode: 0o700 });
  const made = make();
  writeFileSync(`${base}.crt`, made.cert);
  chmodSync(`${base}.crt`, 0o644);
  writeFileSync(`${base}.draft`, JSON.stringify(made), { mode: 0o600 });
  renameSync(`${base}.draft`, `${base}.json`); // last and whole: the pair exists when this file does
  return made;
}
