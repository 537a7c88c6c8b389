// Explains a failed command: the procedure says what the command was for, and the tool's own message follows.
import { type Account, Failure, isCommandError, isOnlyAbort, textOf } from "./errors.ts";

/** Runs `act`. A failed command becomes a failure with this account; an abort and every other error are thrown unchanged. */
export async function explained<T>(account: Account & { said?: undefined }, act: () => PromiseLike<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { signal } = $ as unknown as { signal?: AbortSignal };
    if (!isCommandError(error) || (signal && isOnlyAbort(error, signal))) throw error;
    throw new Failure({ ...account, said: textOf(error) }, { cause: error });
  }
}
