// Refusals of TrueNAS as readable errors, and the two ways a call can end without an answer.
import { Failure } from "../run/errors.ts";

/** The `error` member of a JSON-RPC reply. `extra` of a validation error is a list of [field, message, errno]. */
export interface RpcError {
  code: number;
  message: string;
  data?: { error?: number; errname?: string; reason?: string; extra?: unknown } | null;
}

/** TrueNAS refused the call. */
export class NasRefused extends Failure {
  override name = "NasRefused";
  readonly method: string;
  readonly code: number;
  /** Its errno: 2 not found, 12 no memory, 16 busy, 17 exists, 22 invalid. */
  readonly errno: number | undefined;
  /** All errnos, those of the fields included. */
  readonly errnos: number[];
  constructor(method: string, error: RpcError, what = method) {
    super({ attempted: what, said: linesOf(error).join("\n") });
    this.method = method;
    this.code = error.code;
    this.errno = error.data?.error;
    this.errnos = [error.data?.error, ...triples(error.data?.extra).map(([, , errno]) => errno)].filter((errno) => errno !== undefined);
  }
}

/** The connection closed, or the deadline passed, before TrueNAS answered. `sent`: TrueNAS may have received the call. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
  readonly sent: boolean;
  constructor(message: string, { sent = true } = {}) {
    super(message);
    this.sent = sent;
  }
}

/** A change was sent and no answer came, so it may have happened. The caller must read the state of the NAS. */
export class UnknownOutcome extends Error {
  override name = "UnknownOutcome";
}

const BUSY = -32000;
const NOT_LOGGED_IN = 207;
const NO_METHOD = 201;

/** The call did not run: too many at once. */
export const isBusy = (error: unknown) => error instanceof NasRefused && error.code === BUSY;
/** The call did not run: the login was dropped. */
export const isLoggedOut = (error: unknown) => error instanceof NasRefused && error.errno === NOT_LOGGED_IN;
/** This version of TrueNAS or of its API does not have the method. */
export const isMethodAbsent = (error: unknown) => error instanceof NasRefused && (error.code === -32601 || error.errno === NO_METHOD);
/** The object does not exist. */
export const isAbsent = (error: unknown) => error instanceof NasRefused && error.errnos.includes(2);

type Triple = [field: string | null, message: string, errno: number];

const triples = (extra: unknown): Triple[] =>
  Array.isArray(extra) ? extra.filter((row): row is Triple => Array.isArray(row) && typeof row[1] === "string") : [];

/** The invalid fields, else the reason, else the message. Never the trace: it contains the parameters. */
function linesOf({ code, message, data }: RpcError): string[] {
  const fields = triples(data?.extra).map(([field, text]) => (field ? `${field}: ${text}` : text));
  if (fields.length > 0) return fields;
  const reason = data?.reason?.trim();
  return reason ? reason.split("\n") : [`${message} (${code})`];
}
