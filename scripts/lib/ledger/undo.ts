// Undoes entries one after the other, each only while it looks as it did when the person confirmed it.
import type { Context } from "../run/context.ts";
import { Failure, isCommandError, textOf } from "../run/errors.ts";
import { type Sight, type Undone, VERDICTS } from "./kinds.ts";

/** Why nothing may be done about an entry: it looks different from what was confirmed. Undefined when it looks the same. */
export function differenceOf(confirmed: Sight, now: Sight | undefined): string | undefined {
  if (now === undefined) return "its ledger entry does not exist any more: another run has closed it";
  if (now.verdict !== confirmed.verdict)
    return `${now.why}; it was shown as "${VERDICTS[confirmed.verdict]}" (${confirmed.why}), so nothing was done`;
  if (now.identity !== confirmed.identity) return `another ${confirmed.entry.kind} has this name now, so nothing was done`;
  return undefined;
}

/** Undoes what was confirmed and is still so, and closes the entries. `putBack` returns when the outside confirms it; what it throws is the reason to leave. */
export async function undoConfirmed(
  confirmed: readonly Sight[],
  observed: readonly Sight[],
  { ledger, signal }: Pick<Context, "ledger" | "signal">,
  putBack: (sight: Sight) => Promise<void>,
): Promise<Undone> {
  const undone: Sight[] = [];
  const left: Sight[] = [];
  for (const shown of confirmed) {
    signal.throwIfAborted();
    const now = observed.find(({ entry }) => entry.id === shown.entry.id);
    const difference = differenceOf(shown, now);
    if (now === undefined || difference !== undefined) {
      left.push({ entry: shown.entry, verdict: now?.verdict ?? "gone", why: difference! });
      continue;
    }
    try {
      if (now.verdict === "safe") await putBack(now);
      await ledger.close(now.entry);
      undone.push(now);
    } catch (error) {
      if (signal.aborted) throw error;
      left.push({ entry: now.entry, verdict: "kept", why: reasonOf(error) });
    }
  }
  return { undone, left };
}

/** Why it could not be undone. An error that is no answer of the outside is thrown again. */
function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.account.said ?? error.message;
  if (isCommandError(error)) return textOf(error).split("\n")[0]!;
  throw error;
}
