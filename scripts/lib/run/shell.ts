// The two doors to the command line: `ask` reads the outside, `$` changes it.
import { type ChildProcess, spawn as nodeSpawn } from "node:child_process";
import type { Options, ProcessPromise } from "zx";
import { begin } from "./effects.ts";
import { patientDuration } from "./patience.ts";
import { redact } from "./redact.ts";

type Word = string | number;

/** A tagged template that runs a command; arrays become several words, `undefined` is refused. */
export interface Shell {
  (pieces: TemplateStringsArray, ...words: (Word | readonly Word[])[]): ProcessPromise;
  (options: Partial<Options>): Shell;
}

export type Spawn = typeof nodeSpawn;

export interface ShellSetup {
  signal: AbortSignal;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Where `LOG_LEVEL=debug` shows each command, redacted, with its duration. */
  debug?: ((line: string) => void) | undefined;
  /** Tests put a recorder here. */
  spawn?: Spawn;
}

/** How long a read may take before it is killed; a longer one says so: `ask({ timeout: "2m" })`. */
const READ_DEADLINE = "30s";
/** How long a command that was told to stop may take before it is killed. */
const GRACE_MS = 5_000;

let reads: Spawn = nodeSpawn;

/** How many commands this run has started, and how many of them were `op`: what the summaries say. */
export const tally = { commands: 0, op: 0 };

/** Loads zx and sets up its one `$`. Everything started here ends when `signal` aborts, with all its children. */
export async function openShell(setup: ShellSetup): Promise<void> {
  await import("zx/globals" as string); // its own types stay out: globals.d.ts is stricter
  reads = door(setup, false);
  Object.assign($, {
    quiet: true,
    verbose: false,
    detached: true, // its own process group: Ctrl-C reaches only us, and we end the whole group
    signal: setup.signal,
    env: { SHLVL: "1", ...setup.env }, // bash takes a socket on stdin, which Node gives it, for a remote login and reads ~/.bashrc, unless it is a shell in a shell
    cwd: setup.cwd,
    spawn: door(setup, true),
    kill: endGroup, // zx's own needs `ps`, which a small machine does not have
    timeoutSignal: "SIGTERM",
  });
}

/** Runs a command that only reads. A dry run may do this and nothing else. */
export const ask = ((first: TemplateStringsArray | Partial<Options>, ...words: Word[]) => {
  const options = "raw" in first ? {} : first;
  const stdin = "input" in options ? "pipe" : "ignore"; // zx leaves an open pipe, on which a tool that asks something would wait
  const timeout = patientDuration(options.timeout ?? READ_DEADLINE);
  const shell = $({ spawn: reads, stdio: [stdin, "pipe", "pipe"], ...options, timeout: `${timeout}ms` });
  return "raw" in first ? shell(first, ...words) : shell;
}) as Shell;

function door({ spawn = nodeSpawn, debug, signal }: ShellSetup, changes: boolean): Spawn {
  return ((file: string, args: string[], options: object) => {
    const line = commandLine(file);
    const end = changes ? begin("command", line, signal) : () => {}; // begin throws after an abort: zx would start the process and end it only later
    tally.commands += 1;
    if (/^(cat \| )?op /.test(line)) tally.op += 1;
    const started = performance.now();
    const child: ChildProcess = spawn(file, args, options);
    child.stdin?.on("error", () => {}); // a child that stops reading tells so by its exit code; unheard, EPIPE would end this process
    child.once("close", (code) => {
      debug?.(redact(`${changes ? "$" : "?"} ${line}  → ${code} in ${Math.round(performance.now() - started)} ms`));
      end(code === 0);
    });
    return child;
  }) as Spawn;
}

/** zx hands its shell one string: the prefix that makes pipes fail, then what was typed. */
export const commandLine = (text: string) => text.slice($.prefix?.length ?? 0).trim();

/** TERM to the command's process group, KILL to what is left of it after five seconds. */
export async function endGroup(pid: number | string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  const tell = (what: NodeJS.Signals) => {
    try {
      process.kill(-Number(pid), what);
    } catch {
      // the group is gone: that is what was wanted
    }
  };
  tell(signal);
  setTimeout(tell, GRACE_MS, "SIGKILL").unref();
}
