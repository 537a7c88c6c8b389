// Undoes entries one after the other, each only if it still looks as it did when the operator confirmed it.
import type { Context } from "../run/context.ts";
import { Failure, isCommandError, textOf } from "../run/errors.ts";
import { type Leftover, type Undone, VERDICTS } from "./leftover.ts";

/** How an entry differs from what was confirmed; undefined if it looks the same. */
export function differenceOf(confirmed: Leftover, now: Leftover | undefined): string | undefined {
  if (now === undefined) return "its ledger entry does not exist any more: another run has closed it";
  if (now.verdict !== confirmed.verdict)
    return `${now.why}; it was shown as "${VERDICTS[confirmed.verdict]}" (${confirmed.why}), so nothing was done`;
  if (now.identity !== confirmed.identity) return `another ${confirmed.entry.kind} has this name now, so nothing was done`;
  return undefined;
}

/** Undoes what was confirmed and has not changed, and closes the entries. `undo` returns when the outside confirms it; an error of it is the reason why the entry stays. */
export async function undoConfirmed(
  confirmed: readonly Leftover[],
  observed: readonly Leftover[],
  { ledger, signal }: Pick<Context, "ledger" | "signal">,
  undo: (leftover: Leftover) => Promise<void>,
): Promise<Undone> {
  const undone: Leftover[] = [];
  const left: Leftover[] = [];
  for (const shown of confirmed) {
    signal.throwIfAborted();
    const now = observed.find(({ entry }) => entry.id === shown.entry.id);
    const difference = differenceOf(shown, now);
    if (now === undefined || difference !== undefined) {
      left.push({ entry: shown.entry, verdict: now?.verdict ?? "gone", why: difference! });
      continue;
    }
    try {
      if (now.verdict === "safe") await undo(now);
      await ledger.close(now.entry);
      undone.push(now);
    } catch (error) {
      if (signal.aborted) throw error;
      left.push({ entry: now.entry, verdict: "kept", why: reasonOf(error) });
    }
  }
  return { undone, left };
}

/** Why it could not be undone. An error that did not come from outside is thrown again. */
function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.account.said ?? error.message;
  if (isCommandError(error)) return textOf(error).split("\n")[0]!;
  throw error;
}
