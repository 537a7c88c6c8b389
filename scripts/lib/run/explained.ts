// A command that failed, told as the user would tell it. A procedure says what its command was for; the tool's own words follow.
import { type Account, Failure, isCommandError, isOnlyAbort, textOf } from "./errors.ts";

/** Runs `act`. A command that fails becomes a failure with this account; an abort and every other error stay as they are. */
export async function explained<T>(account: Account & { said?: undefined }, act: () => PromiseLike<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { signal } = $ as unknown as { signal?: AbortSignal };
    if (!isCommandError(error) || (signal && isOnlyAbort(error, signal))) throw error;
    throw new Failure({ ...account, said: textOf(error) }, { cause: error });
  }
}
