// Copies of a home's folder, from which other homes start. They are in the folder of the home that made them and are removed with it.
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

const COPIES = "copies";
/** Each home has its own of these. */
const OWN = new Set([COPIES, "home.json", "home.json.draft"]);

/** Copies the home's folder into itself, and returns the copy's folder. */
export function keepCopy(folder: string, name: string): string {
  const copy = join(folder, COPIES, name);
  copyHome(folder, copy);
  return copy;
}

/** Copies a home that is not changing now into another folder, which is made. */
export function copyHome(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(from))
    if (!OWN.has(entry)) cpSync(join(from, entry), join(to, entry), { recursive: true, verbatimSymlinks: true });
}
