// The one JSON document that OUTPUT=json prints on stdout, whatever happens: it is collected while the procedure runs and written once, at its end.
import { Failure, Stop, textOf, UsageError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import { toJson } from "./redact.ts";

/** The output of a procedure. */
export interface Collected {
  /** Its result; the last one if there are several. */
  result?: { value: unknown };
  /** The plan at which a dry run ended. */
  plan?: Pick<Plan, "title" | "lines"> & { destroys?: string[] };
  /** Its messages to the operator, a line each. */
  said: string[];
}

export interface ErrorDocument {
  failed: string;
  reason?: string | undefined;
  state?: string | undefined;
  next?: string | undefined;
  /** For an interrupted run: what else had failed. */
  failure?: ErrorDocument;
}

/** The document: the result as it is, the plan of a dry run, otherwise the messages; after a failure the error, together with the result. */
export function documentOf({ result, plan, said }: Collected, error?: ErrorDocument): unknown {
  const beside = result && { result: result.value };
  if (error) return { error: redacted(error), ...beside };
  if (plan) return { plan: redacted(plan), ...beside };
  return result ? result.value : { said: redacted(said) };
}

/** Messages of tools may contain a password. The result is data: only known secrets are hidden in it. */
const redacted = <T>(value: T): T => JSON.parse(toJson(value)) as T;

/** An interruption as data, with what else had failed. */
export function interruptionDocument(
  name: string,
  { reason, after, failure }: { reason: string; after: string; failure?: unknown },
): ErrorDocument {
  const besides = failure === undefined ? undefined : errorDocument(failure, name);
  return { failed: `run ${name}`, reason, state: after, next: `task ${name}`, ...(besides && { failure: besides }) };
}

/** The thrown error as data. Undefined for an expected end, which is not a failure. */
export function errorDocument(thrown: unknown, name: string): ErrorDocument | undefined {
  const again = `task ${name}`;
  if (thrown instanceof Stop) return undefined;
  if (thrown instanceof UsageError)
    return { failed: `start ${name}`, reason: thrown.message, state: "nothing was changed", next: `${again} -- --help` };
  if (thrown instanceof Failure) {
    const { attempted, failed, said, now, next } = thrown.account;
    return { failed: failed ?? attempted, reason: said ?? thrown.message, state: now, next };
  }
  return { failed: `run ${name}`, reason: textOf(thrown) };
}

/** Whether the caller wants JSON. Reads the command line as typed, so that wrong usage is reported as a document too. */
export function wantsJson(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const typed = words.flatMap((word, at) => (word === "--output" ? [words[at + 1]] : word.startsWith("--output=") ? [word.slice(9)] : []));
  return (typed.at(-1) ?? (env.ARG_OUTPUT || env.OUTPUT)) === "json";
}

export const printDocument = (document: unknown): string => `${toJson(document, { space: 2, data: true })}\n`;
