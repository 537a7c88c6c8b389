// Runs a real tool and keeps what it said.
import { execFile } from "node:child_process";
import type { Said } from "../../lab/simulators/test-world.ts";

const TIMEOUT_MS = 60_000;

export const run = (file: string, argv: string[], env: Record<string, string>, cwd: string): Promise<Said> =>
  new Promise((resolve, reject) => {
    execFile(file, argv, { env, cwd, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 }, (error, out, err) => {
      if (error && typeof error.code !== "number") reject(new Error(`${argv.join(" ")}: ${error.message}${err}`));
      else resolve({ code: Number(error?.code ?? 0), out, err });
    });
  });
