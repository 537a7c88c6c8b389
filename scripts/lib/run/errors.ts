// The few ways a procedure can stop, and what each of them owes the person at the keyboard.

/** Wrong words on the command line: exit 64. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** An expected end that is no failure: a dry run, a declined question. `pending` = changes were left undone (exit 2 with EXIT_CODE=1). */
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
  /** What the outside said, word for word; several answers as lines. */
  said?: string | undefined;
  /** What state things are in now. */
  now?: string | undefined;
  /** The one command that continues. */
  next?: string | undefined;
};

/** A failure that tells its whole story: what was attempted, what the outside said, how things stand, how to go on. Exit 1. */
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

/** The same without the command that continues, as one of several failures is shown. */
export const withoutNext = (thrown: unknown): string =>
  thrown instanceof Failure ? tell({ ...thrown.account, next: undefined }) : textOf(thrown);

/** Whether the run's abort is all that was thrown: the abort itself, a wait that it cut, or a command that it ended. Anything else is a failure of its own. */
export function isOnlyAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted || thrown instanceof Failure) return false;
  if (thrown === signal.reason || (isCommandError(thrown) && thrown.signal !== null)) return true;
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.cause === signal.reason);
}

/** The text of whatever was thrown: a failure's account, an Error's message and cause, a command's stderr, a string. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message; // its cause is told in the account: zx's message would repeat it with a call site
  if (isCommandError(thrown)) return thrown.stderr.trim() || thrown.stdout.trim() || `exit code ${thrown.exitCode ?? thrown.signal}`;
  if (thrown instanceof Error) return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message;
  return String(thrown);
}

/** A command that no procedure explained, as a failure of the whole run. */
export const unexplained = (error: CommandError, name: string, effects: number): Failure =>
  new Failure(
    {
      attempted: `run ${name}`,
      said: `a command failed: ${textOf(error)}`,
      now: effects === 0 ? "nothing was changed" : "changes of this run stay; the last one may be incomplete",
      next: `task ${name}, which continues from the observed state`,
    },
    { cause: error },
  );

/** What zx throws for a command that did not end well. Its own message holds zx's call site; its stderr is what the tool said. */
export interface CommandError {
  exitCode: number | null;
  signal: string | null;
  stderr: string;
  stdout: string;
}
export const isCommandError = (thrown: unknown): thrown is CommandError =>
  typeof thrown === "object" && thrown !== null && "exitCode" in thrown && "stderr" in thrown;
