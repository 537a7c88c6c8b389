// The ways a procedure can stop, and what each error tells the operator.

/** Wrong usage of the command line: exit 64. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** An expected end that is not a failure: a dry run, or the answer No. `pending`: changes are pending (exit 2 with EXIT_CODE=1). */
export class Stop extends Error {
  override name = "Stop";
  readonly pending: boolean;
  constructor(message: string, { pending = false } = {}) {
    super(message);
    this.pending = pending;
  }
}

/** What failed: the verb phrase after "could not" ("create zvol flashstor/VM/k8s_0-boot"), or a whole clause ("2 of 10 preflight checks failed"). */
type Headline = { attempted: string; failed?: undefined } | { failed: string; attempted?: undefined };

export type Account = Headline & {
  /** The reason, in the words of the tool or server; several reasons as lines. */
  said?: string | undefined;
  /** The current state. */
  now?: string | undefined;
  /** The one command that continues. */
  next?: string | undefined;
};

/** A failure with a complete account: what was attempted, the reason, the current state and the next command. Exit 1. */
export class Failure extends Error {
  override name = "Failure";
  readonly account: Account;
  constructor(account: Account, options?: ErrorOptions) {
    super(tell(account), options);
    this.account = account;
  }
}

const tell = ({ attempted, failed, said, now, next }: Account) =>
  [failed ?? `could not ${attempted}`, said?.trim() && indent("said", said.trim()), now && indent("now", now), next && indent("next", next)]
    .filter(Boolean)
    .join("\n");

const indent = (label: string, text: string) => `  ${`${label}:`.padEnd(6)}${text.split("\n").join("\n        ")}`;

/** The account without the next command, for one of several failures. */
export const withoutNext = (thrown: unknown): string =>
  thrown instanceof Failure ? tell({ ...thrown.account, next: undefined }) : textOf(thrown);

/** Whether the error is only the run's abort: the abort itself, a wait that it ended, or a command that it killed. Every other error is a failure. */
export function isOnlyAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted || thrown instanceof Failure) return false;
  if (thrown === signal.reason || (isCommandError(thrown) && thrown.signal !== null)) return true;
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.cause === signal.reason);
}

/** The text of any thrown value: a failure's account, an Error's message and cause, a command's stderr, a string. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message; // the account includes the cause: zx's message would repeat it with a call site
  if (isCommandError(thrown)) return thrown.stderr.trim() || thrown.stdout.trim() || `exit code ${thrown.exitCode ?? thrown.signal}`;
  if (thrown instanceof Error) return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
  return String(thrown);
}

/** A failed command whose account is incomplete: the state and the next command are those of the whole run. */
export function unexplained(thrown: unknown, name: string, effects: number): Failure | undefined {
  const error = commandErrorOf(thrown);
  if (error === undefined) return undefined;
  const account: Account =
    thrown instanceof Failure ? thrown.account : { attempted: `run ${name}`, said: `a command failed: ${textOf(error)}` };
  return new Failure(
    {
      ...account,
      now: account.now ?? (effects === 0 ? "nothing was changed" : "changes of this run stay; the last one may be incomplete"),
      next: account.next ?? `task ${name}, which continues from the observed state`,
    },
    { cause: error },
  );
}

/** What zx throws for a command that failed. Its message contains zx's call site; its stderr is the tool's own message. */
export interface CommandError {
  exitCode: number | null;
  signal: string | null;
  stderr: string;
  stdout: string;
}
/** The failed command behind an error: the error itself, or the cause of a failure that says what the command was for. */
export function commandErrorOf(thrown: unknown): CommandError | undefined {
  if (isCommandError(thrown)) return thrown;
  return thrown instanceof Failure && isCommandError(thrown.cause) ? thrown.cause : undefined;
}

export const isCommandError = (thrown: unknown): thrown is CommandError =>
  typeof thrown === "object" && thrown !== null && "exitCode" in thrown && "stderr" in thrown;
