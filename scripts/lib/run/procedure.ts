// What all procedures share: command line, help, dry run, interruption, report, exit code.
import { setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Context } from "./context.ts";
import type { LockScope } from "./lock.ts";
import { type Collected, documentOf, errorDocument, interruptionDocument, printDocument, wantsJson } from "./document.ts";
import { effectsSoFar } from "./effects.ts";
import { isOnlyAbort, Stop, textOf, unexplained, UsageError } from "./errors.ts";
import { redact } from "./redact.ts";
import { type Common, help, readWords } from "./command-line.ts";
import type { Options, Values } from "./options.ts";
import type { Procedure } from "./spec.ts";

export const procedure = <O extends Options>(spec: Procedure<O>): Procedure<O> => spec;

/** Runs the procedure if its file is the one that was started. Sets the exit code and never ends the process: a pipe may still be read. */
export async function main<O extends Options>(meta: ImportMeta, spec: Procedure<O>): Promise<void> {
  const started = process.argv[1];
  if (!started || realpathSync(started) !== fileURLToPath(meta.url)) return;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error; // `task x | head` closes the pipe early
  });
  await import("../../packages.mjs"); // again for a Node that reads TypeScript by itself, without start.mjs
  process.exitCode = await runProcedure(spec, process.argv.slice(2), process.env);
}

/** Runs a procedure from start to end. Returns the exit code: 0 done, 1 failed, 2 changes pending (with EXIT_CODE=1), 64 wrong usage, 130 interrupted. */
export async function runProcedure<O extends Options>(spec: Procedure<O>, words: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every running command listens, and checks run in parallel
  const interrupt = (name: NodeJS.Signals) => stop.abort(new Error(`interrupted by ${name}`));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, interrupt);
  const collected: Collected = { said: [] };
  const json = wantsJson(words, env);
  let common: Common = { dryRun: false, yes: false, json, debug: false, exitCode: false, waive: [] };
  let close = (_code: number, _message?: string) => {};
  let unlock = () => {};
  let code: number;
  try {
    const read = readWords(spec, words, env);
    if (read.help) {
      process.stdout.write(json ? printDocument({ help: help(spec) }) : `${help(spec)}\n`);
      return 0;
    }
    common = { ...read.common, collected };
    const { refuseMisspelt } = await import("./called-by-task.ts");
    refuseMisspelt(spec);
    const { openContext } = await import("./open-context.ts");
    const opened = await openContext(spec, common, { words, rest: read.rest }, env, stop.signal);
    close = opened.close;
    unlock = await lock(spec, read.values, opened.context);
    const { withHolds } = await import("./hold.ts");
    await withHolds(opened.context, (context) => spec.run(read.values, context));
    code = 0;
    close(code);
    if (common.json && (spec.rest === undefined || collected.result)) process.stdout.write(printDocument(documentOf(collected))); // the command of `rest` prints its own
  } catch (error) {
    const failure = report(error, stop.signal, { common, collected }, spec);
    code = failure.code;
    close(code, failure.message);
  } finally {
    unlock();
    for (const name of signals) process.off(name, interrupt);
  }
  return code;
}

/** Takes the lock for the procedure's scope; returns the function that releases it. */
async function lock<O extends Options>(spec: Procedure<O>, values: Values<O>, context: Context): Promise<() => void> {
  const scope = lockScope(spec, values);
  if (scope === undefined || context.dryRun || spec.cluster === false) return () => {};
  const { lockFolder, takeLock } = await import("./lock.ts");
  const { release } = await takeLock(lockFolder(context.env, context.cluster.name), scope, spec.name, {
    removed: ({ procedure: name, pid }) => context.ui.say(`removed the lock of ${name} (process ${pid}), which has died`),
  });
  return release;
}

function lockScope<O extends Options>({ scope = "home" }: Procedure<O>, values: Values<O>): LockScope | undefined {
  if (scope === "none") return undefined;
  return scope === "home" ? "home" : { app: String(values[scope.appOption]) };
}

function report(
  thrown: unknown,
  signal: AbortSignal,
  { common, collected }: { common: Common; collected: Collected },
  { name, interrupted: after = "the same command resumes from the observed state" }: Pick<Procedure, "name" | "interrupted">,
): { code: number; message: string } {
  const error = isOnlyAbort(thrown, signal) ? thrown : (unexplained(thrown, name, effectsSoFar()) ?? thrown);
  const interrupted = signal.aborted;
  const reason = textOf(signal.reason);
  const failure = interrupted && (isOnlyAbort(error, signal) || error instanceof Stop) ? undefined : error; // an abort hides no failure
  const lines = [
    ...(interrupted && failure === undefined ? [] : [describe(failure, common.debug)]),
    ...(interrupted ? [`${reason}; ${after}`] : []),
  ];
  const message = lines.join("\n");
  common.say?.(message);
  if (!common.say) process.stderr.write(`${redact(message)}\n`);
  const document = interrupted ? interruptionDocument(name, { reason, after, failure }) : errorDocument(error, name);
  if (common.json) process.stdout.write(printDocument(documentOf(collected, document)));
  if (interrupted) return { code: 130, message };
  if (error instanceof Stop) return { code: error.pending && common.exitCode ? 2 : 0, message };
  return { code: error instanceof UsageError ? 64 : 1, message };
}

const describe = (error: unknown, debug: boolean): string => (debug && error instanceof Error && error.stack ? error.stack : textOf(error));
