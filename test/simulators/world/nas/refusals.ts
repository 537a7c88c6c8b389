// How TrueNAS says no, as data: JSON-RPC code, errno, the reason in words, and for bad fields a line each.

export type Triple = [field: string | null, message: string, errno: number];

export interface Refusal {
  code: number;
  errno: number;
  reason: string;
  /** Of a validation error: a line for each field. */
  extra: Triple[] | null;
  /** The exception's class. */
  type: string;
}

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENOTDIR: 20,
  EINVAL: 22,
  ENOSPC: 28,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ENOMETHOD: 201,
  ENOTAUTHENTICATED: 207,
} as const;

/** `EFAULT` for 14. */
export const errname = (errno: number) => Object.entries(ERRNO).find(([, number]) => number === errno)?.[0] ?? "EFAULT";

const CALL = -32001;
const PARAMS = -32602;

/** A CallError: the thing was understood and could not be done. */
export const failed = (text: string, errno: number = ERRNO.EFAULT): Refusal => ({
  code: CALL,
  errno,
  reason: `[${errname(errno)}] ${text}`,
  extra: null,
  type: "CallError",
});

/** An exception that nobody meant to be read: no errno of its own, no bracket. */
export const raised = (type: string, text: string): Refusal => ({ code: CALL, errno: ERRNO.EINVAL, reason: text, extra: null, type });

/** Fields that are wrong; errno 22 unless given. */
export function invalid(...fields: [field: string, message: string, errno?: number][]): Refusal {
  const extra = fields.map(([field, message, errno = ERRNO.EINVAL]): Triple => [field, message, errno]);
  const reason = extra.map(([field, message, errno]) => `[${errname(errno)}] ${field}: ${message}\n`).join("");
  return { code: PARAMS, errno: ERRNO.EINVAL, reason, extra, type: "ValidationErrors" };
}

/** No row of that number: `VM 5 does not exist`. */
export function notFound(entity: string, id: unknown): Refusal {
  const message = `${entity} ${String(id)} does not exist`;
  return {
    code: PARAMS,
    errno: ERRNO.EINVAL,
    reason: `[ENOENT] None: ${message}`,
    extra: [[null, message, ERRNO.ENOENT]],
    type: "InstanceNotFound",
  };
}

/** What a real NAS can do and this one was not taught: it never guesses. */
export const untaught = (what: string): Refusal => failed(`the simulated NAS was not taught ${what}`, ERRNO.ENOSYS);
