// The real talosctl in a live world, and what it said beside what the stand-in says: code, stdout as what it means, stderr as a person reads it.
import { execFile } from "node:child_process";
import type { Live } from "../../lab/simulators/talos/live-world.ts";
import type { Said } from "../../lab/simulators/test-world.ts";
import { builtTools } from "../../tools/find.ts";

const TIMEOUT_MS = 600_000;

let talosctl: string | undefined;

/** Runs the real talosctl; a line that hangs is a failure. */
export const real = (live: Live, ...argv: string[]): Promise<Said> => run(live, live.environment, argv);

/** Runs it with a certificate of that role. */
export const realAs = (live: Live, role: string, ...argv: string[]): Promise<Said> => run(live, live.as(role), argv);

const run = ({ folder }: Live, environment: Record<string, string>, argv: string[]): Promise<Said> =>
  new Promise((resolve, reject) => {
    const options = { env: environment, cwd: folder, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 };
    execFile((talosctl ??= builtTools().bin("talosctl")), argv, options, (error, out, err) => {
      if (error && typeof error.code !== "number") reject(new Error(`${argv.join(" ")}: ${error.message}${err}`));
      else resolve({ code: Number(error?.code ?? 0), out, err });
    });
  });

/** What was said, without what differs from one run to the next. */
export function meant({ code, out, err }: Said): { code: number; out: unknown; err: string } {
  return { code, out: parsed(out), err: plain(err).split("\n\nUsage:")[0]!.trim() };
}

function plain(text: string): string {
  return text
    .replace(/^\t(SHA|Go version|Built): .*$/gm, "\t$1")
    .replace(/\b\d+(ms|s|m) ago\b/g, "some time ago")
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC/g, "a time")
    .replace(/^\tNODE: {8}127\.0\.0\.1$/gm, "\tNODE: the peer") // through a proxy the peer is the proxy
    .replace(/(client-(certificate|key)-data): .*/g, "$1");
}

/** JSON as values, one after the other; a table as cells; else the text. */
function parsed(out: string): unknown {
  if (/^[{[]/.test(out))
    return out
      .split(/(?<=^[}\]])\n/m)
      .filter(Boolean)
      .map((value) => JSON.parse(value) as unknown);
  const lines = plain(out).trimEnd().split("\n");
  return /^NODE\s/.test(out) ? lines.map((line) => line.trim().split(/\s{2,}/)) : lines;
}
