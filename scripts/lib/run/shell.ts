// The two ways to run commands: `ask` for reads, `$` for effects.
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
  /** Tests pass a recorder. */
  spawn?: Spawn;
}

/** How long a read may take before it is killed. A longer one sets its own: `ask({ timeout: "2m" })`. */
const READ_DEADLINE = "30s";
/** How long a command may take to stop after TERM before it is killed. */
const GRACE_MS = 5_000;

let reads: Spawn = nodeSpawn;

/** How many commands this run has started, and how many of them were `op`, for the summaries. */
export const tally = { commands: 0, op: 0 };

/** Loads zx and sets up its one `$`. When `signal` aborts, every command ends, with all its children. */
export async function openShell(setup: ShellSetup): Promise<void> {
  await import("zx/globals" as string); // its own types stay out: globals.d.ts is stricter
  reads = door(setup, false);
  Object.assign($, {
    quiet: true,
    verbose: false,
    detached: true, // its own process group: Ctrl-C reaches only this process, which ends the whole group
    signal: setup.signal,
    env: { SHLVL: "1", ...setup.env }, // bash takes a socket on stdin, which Node gives it, for a remote login and reads ~/.bashrc, unless it is a shell in a shell
    cwd: setup.cwd,
    spawn: door(setup, true),
    kill: endGroup, // zx's own needs `ps`, which minimal systems lack
    timeoutSignal: "SIGTERM",
  });
}

/** Runs a command that only reads. A dry run may do this and nothing else. */
export const ask = ((first: TemplateStringsArray | Partial<Options>, ...words: Word[]) => {
  const options = "raw" in first ? {} : first;
  const stdin = "input" in options ? "pipe" : "ignore"; // zx would leave an open pipe, and a tool that prompts would wait on it
  const timeout = patientDuration(options.timeout ?? READ_DEADLINE);
  const shell = $({ spawn: reads, stdio: [stdin, "pipe", "pipe"], ...options, timeout: `${timeout}ms` });
  return "raw" in first ? shell(first, ...words) : shell;
}) as Shell;

function door({ spawn = nodeSpawn, debug, signal }: ShellSetup, changes: boolean): Spawn {
  return ((file: string, args: string[], options: object) => {
    const line = commandLine(file);
    const end = changes ? begin("command", line, currentSignal() ?? signal) : () => {}; // throws after an abort: zx would start the process and kill it only later
    tally.commands += 1;
    if (/^(cat \| )?op /.test(line)) tally.op += 1;
    const started = performance.now();
    const child: ChildProcess = spawn(file, args, options);
    child.stdin?.on("error", () => {}); // the exit code reports a child that stops reading; an unhandled EPIPE would end this process
    child.once("close", (code) => {
      debug?.(redact(`${changes ? "$" : "?"} ${line}  → ${code} in ${Math.round(performance.now() - started)} ms`));
      end(code === 0);
    });
    return child;
  }) as Spawn;
}

/** The signal of this run, or of the `finishing` that this is part of. */
const currentSignal = () => ($ as { signal?: AbortSignal }).signal;

/** zx passes its shell one string: the prefix that sets pipefail, then the command. */
export const commandLine = (text: string) => text.slice($.prefix?.length ?? 0).trim();

/** Sends TERM to the command's process group, and KILL to the rest of it after five seconds. */
export async function endGroup(pid: number | string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  const tell = (what: NodeJS.Signals) => {
    try {
      process.kill(-Number(pid), what);
    } catch {
      // the group has already ended
    }
  };
  tell(signal);
  setTimeout(tell, GRACE_MS, "SIGKILL").unref();
}
