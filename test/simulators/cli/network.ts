// The stand-in for programs that open connections themselves (ssh, curl): refuses, and records the call.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Tool } from "../world/tool.ts";

export const refusing =
  (name: string): Tool =>
  async (world, { argv, err }) => {
    const what = [name, ...argv].join(" ");
    appendFileSync(join(world.folder, "refused.ndjson"), `${JSON.stringify({ what })}\n`, { mode: 0o600 });
    err(`the simulated home has no network, so it did not run: ${what}\n`);
    return 70;
  };
