// Restricts credential files that others can read: a kubeconfig with mode 0644 makes every user of the machine an administrator of the cluster.
import { chmod, stat } from "node:fs/promises";
import type { Context } from "./context.ts";
import { effect } from "./effects.ts";

const FILES = ["KUBECONFIG", "TALOSCONFIG", "SOPS_AGE_KEY_FILE"] as const;

/** Sets $KUBECONFIG, $TALOSCONFIG and $SOPS_AGE_KEY_FILE to 0600 where they are more permissive, and reports it; a dry run only reports. */
export async function closeCredentials({ env, ui, dryRun }: Pick<Context, "env" | "ui" | "dryRun">): Promise<void> {
  for (const file of new Set(FILES.map((name) => env[name]!))) {
    const mode = await tooOpen(file);
    if (mode === undefined) continue;
    if (dryRun) {
      ui.warn(`${file} has mode ${mode}, more permissive than 0600; a run that is no dry run sets it to 0600`);
      continue;
    }
    const refused = await effect("file", `chmod 0600 ${file}`, () => chmod(file, 0o600)).then(() => undefined, refusalOf);
    const left = await tooOpen(file);
    if (left === undefined) ui.warn(`${file} had mode ${mode}, more permissive than 0600; it is now 0600`);
    else ui.warn(`${file} has mode ${left} and cannot be set to 0600${refused ? ` (${refused})` : ""}: other users may be able to read it`);
  }
}

/** The mode of a regular file, as chmod writes it, if it allows more than 0600. */
async function tooOpen(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch(() => undefined); // missing or unreadable: the code that reads the file reports it
  if (!stats?.isFile() || (stats.mode & 0o177) === 0) return undefined;
  return `0${(stats.mode & 0o777).toString(8).padStart(3, "0")}`;
}

/** Why the file system refused. Anything else, such as Ctrl-C, is thrown. */
function refusalOf(error: unknown): string {
  if (error instanceof Error && "syscall" in error) return String((error as NodeJS.ErrnoException).code);
  throw error;
}
