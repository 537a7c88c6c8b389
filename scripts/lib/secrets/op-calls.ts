// Calls the 1Password package. Each call has a deadline, and Ctrl-C ends it.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { endGroup } from "../run/shell.ts";
import { patient } from "../run/patience.ts";

/** `method` is the package's own: "whoami", "item.list". The value must survive JSON. */
export type CallOp = (method: string, ...args: unknown[]) => Promise<unknown>;

/** The 1Password app may ask for a fingerprint or a password. */
const SECONDS = 90;

/** The error of the package, as the child process sends it. */
export interface OpAccount {
  message: string;
  /** The message of op. */
  originalMessage?: string;
  /** op's exit code. */
  status?: number;
  /** op answered with something that is not JSON. */
  isUnreadable?: boolean;
}

export class OpError extends Error implements OpAccount {
  override name = "OpError";
  declare readonly originalMessage?: string;
  declare readonly status?: number;
  declare readonly isUnreadable?: boolean;
  /** It was stopped at its deadline. */
  readonly late: boolean;
  constructor(account: OpAccount, late = false) {
    super(account.message);
    Object.assign(this, account);
    this.late = late;
  }
}

let child: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** Runs calls one after the other in one process, which the first call starts. */
const throughProcess: CallOp = (method, ...args) => {
  const next = last.then(() => exchange(method, args));
  last = next.catch(() => {}); // its caller has the failure
  return next;
};

function exchange(method: string, args: unknown[]): Promise<unknown> {
  const signal = (globalThis as { $?: { signal?: AbortSignal } }).$?.signal;
  signal?.throwIfAborted();
  child ??= start();
  const own = child;
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(deadline);
      own.off("message", answered).off("exit", gone);
      signal?.removeEventListener("abort", aborted);
      own.unref();
      own.channel?.unref();
      end();
    };
    const stop = (error: unknown) => {
      if (child === own) child = undefined;
      void endGroup(own.pid!);
      settle(() => reject(error));
    };
    const answered = (message: unknown) => {
      const { value, error } = message as { value?: unknown; error?: OpAccount };
      settle(() => (error ? reject(new OpError(error)) : resolve(value)));
    };
    const gone = () => stop(new OpError({ message: "the process that runs op ended without an answer" }));
    const aborted = () => stop(signal!.reason);
    const deadline = setTimeout(
      () => stop(new OpError({ message: `op did not answer within ${patient(SECONDS)} s` }, true)),
      patient(SECONDS) * 1000,
    );
    own.on("message", answered).on("exit", gone);
    signal?.addEventListener("abort", aborted);
    own.ref();
    own.channel?.ref();
    own.send({ method, args });
  });
}

function start(): ChildProcess {
  const started = fork(fileURLToPath(new URL("op-process.mjs", import.meta.url)), [], {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  started.on("error", () => {}); // told by its exit
  process.once("exit", () => {
    try {
      process.kill(-started.pid!, "SIGKILL");
    } catch {
      // it has ended
    }
  });
  return started;
}

let call: CallOp = throughProcess;

/** Calls the package. Throws an OpError with its message; an abort or a deadline also ends `op`. */
export const callOp: CallOp = (method, ...args) => call(method, ...args);

/** Tests replace the process by a function; without an argument the process is used again. */
export const useOp = (other: CallOp = throughProcess): void => void (call = other);
