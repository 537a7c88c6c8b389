// The one JSON document that OUTPUT=json prints on stdout, whatever happens: it is collected while the procedure runs and written once, at its end.
import { Failure, Stop, textOf, UsageError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import { toJson } from "./redact.ts";

/** What a procedure gave while it ran. */
export interface Collected {
  /** Its result; the last one when it gave several. */
  result?: { value: unknown };
  /** The plan at which a dry run ended. */
  plan?: Pick<Plan, "title" | "lines"> & { destroys?: string[] };
  /** What it said to the person, a line each. */
  said: string[];
}

export interface ErrorDocument {
  failed: string;
  reason?: string | undefined;
  state?: string | undefined;
  next?: string | undefined;
  /** Of an interrupted run: what had failed besides. */
  failure?: ErrorDocument;
}

/** The document: the result as it is, the plan of a dry run, otherwise what was said; after a failure the error, with the result beside it. */
export function documentOf({ result, plan, said }: Collected, error?: ErrorDocument): unknown {
  const beside = result && { result: result.value };
  if (error) return { error: redacted(error), ...beside };
  if (plan) return { plan: redacted(plan), ...beside };
  return result ? result.value : { said: redacted(said) };
}

/** What tools said may name a password; the result is data, in which only known secrets are hidden. */
const redacted = <T>(value: T): T => JSON.parse(toJson(value)) as T;

/** An interruption as data, with what had failed besides it. */
export function interruptionDocument(
  name: string,
  { reason, after, failure }: { reason: string; after: string; failure?: unknown },
): ErrorDocument {
  const besides = failure === undefined ? undefined : errorDocument(failure, name);
  return { failed: `run ${name}`, reason, state: after, next: `task ${name}`, ...(besides && { failure: besides }) };
}

/** What was thrown, as data. Undefined for an expected end, which is no failure. */
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

/** Whether the caller wants JSON, read from the words as they were typed: also words that cannot be understood get a document. */
export function wantsJson(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const typed = words.flatMap((word, at) => (word === "--output" ? [words[at + 1]] : word.startsWith("--output=") ? [word.slice(9)] : []));
  return (typed.at(-1) ?? (env.ARG_OUTPUT || env.OUTPUT)) === "json";
}

export const printDocument = (document: unknown): string => `${toJson(document, { space: 2, data: true })}\n`;
