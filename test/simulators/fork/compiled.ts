// tsx keeps compiled scripts in the temporary folder. A temporary folder of its own would compile every script again, a second each time.
import { mkdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Links what tsx compiled, which holds no values, into another temporary folder. */
export function shareCompiled(tmp: string): void {
  const name = `tsx-${process.getuid?.() ?? 0}`;
  const shared = join(tmpdir(), name);
  mkdirSync(shared, { recursive: true });
  try {
    symlinkSync(shared, join(tmp, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
