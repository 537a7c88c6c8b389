// Each run of vitest has a temporary folder of its own, which is removed when it ends: nothing that a test leaves there stays on the machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shareCompiled } from "./simulators/fork/compiled.ts";

/** Vitest calls this once for each project, in the process whose environment the workers inherit. */
export default function useOwnTempFolder(): void {
  if (process.env.HOME_OPS_VITEST === String(process.pid)) return; // another project of this run was first
  const folder = mkdtempSync(join(tmpdir(), "op-")); // short: the path of a socket may have some 100 bytes
  shareCompiled(folder);
  Object.assign(process.env, { HOME_OPS_VITEST: String(process.pid), TMPDIR: folder });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
}
