// What `leftovers` must know of each kind of ledger entry. A new kind is one more object like lib/truenas/nas-leftovers.ts, listed in scripts/leftovers.ts.
import type { Context } from "../run/context.ts";
import type { Entry } from "./entry.ts";

export interface Leftover {
  entry: Entry;
  /** `gone`: only the entry is removed; `safe`: can be undone; `kept`: must stay, for the reason in `why`; `unknown`: the outside could not be asked. */
  verdict: "gone" | "safe" | "kept" | "unknown";
  why: string;
  /** What undoing deletes for good: "VM k8s_0". */
  destroys?: string;
  /** The id of the thing, so that a later one with the same name is not mistaken for it. */
  identity?: string;
}

/** The verdicts in lists and messages. */
export const VERDICTS = { gone: "does not exist any more", safe: "can be undone", kept: "stays", unknown: "unknown" } as const;

/** The result of undoing entries. */
export interface Undone {
  undone: Leftover[];
  /** Each with the reason. */
  left: Leftover[];
}

/** Selects the entries of a run. A handler gets all entries of its kinds, because another entry may say whether a disk holds data. */
export type Chosen = (entry: Entry) => boolean;

/** Handles the entries of one outside system. */
export interface KindHandler {
  /** The kinds of entries that it handles. */
  kinds: readonly string[];
  /** Reads the state and changes nothing. Throws if the outside system cannot be asked. */
  observe(entries: readonly Entry[], context: Context, chosen: Chosen): Promise<Leftover[]>;
  /** Undoes confirmed leftovers that are safe, and removes the entries of those that are gone. One that has changed since is left alone. */
  undo(entries: readonly Entry[], context: Context, confirmed: readonly Leftover[]): Promise<Undone>;
}

/** Compares every entry with the outside. Without an answer the verdict is `unknown`, with the reason. */
export async function observeAll(
  handlers: readonly KindHandler[],
  entries: readonly Entry[],
  context: Context,
  chosen: Chosen,
): Promise<Leftover[]> {
  const { commandErrorOf, textOf } = await import("../run/errors.ts");
  const known = await Promise.all(
    byHandler(handlers, entries).map(async ({ handler, theirs }): Promise<Leftover[]> => {
      try {
        return await handler.observe(theirs, context, chosen);
      } catch (error) {
        if (context.signal.aborted) throw error;
        return theirs.map((entry) => ({ entry, verdict: "unknown", why: textOf(commandErrorOf(error) ?? error).split("\n")[0]! }));
      }
    }),
  );
  const strange = entries.filter(({ kind }) => !handlers.some(({ kinds }) => kinds.includes(kind)));
  const found = [
    ...known.flat(),
    ...strange.map((entry): Leftover => ({ entry, verdict: "unknown", why: `this version does not know the kind "${entry.kind}"` })),
  ];
  return found.filter(({ entry }) => chosen(entry));
}

/** Lets each handler undo what was confirmed. If its system cannot be asked, all of its entries stay. */
export async function undoAll(
  handlers: readonly KindHandler[],
  entries: readonly Entry[],
  confirmed: readonly Leftover[],
  context: Context,
): Promise<Undone> {
  const { commandErrorOf, Failure, isCommandError, textOf } = await import("../run/errors.ts");
  const all: Undone = { undone: [], left: [] };
  for (const { handler, theirs } of byHandler(handlers, entries)) {
    const wanted = confirmed.filter((one) => isMovable(one) && handler.kinds.includes(one.entry.kind));
    if (wanted.length === 0) continue;
    try {
      const { undone, left } = await handler.undo(theirs, context, wanted);
      all.undone.push(...undone);
      all.left.push(...left);
    } catch (error) {
      if (context.signal.aborted || !(error instanceof Failure || isCommandError(error))) throw error;
      all.left.push(
        ...wanted.map(({ entry }): Leftover => ({
          entry,
          verdict: "unknown",
          why: textOf(commandErrorOf(error) ?? error).split("\n")[0]!,
        })),
      );
    }
  }
  return all;
}

/** Whether undoing it does anything. */
export const isMovable = ({ verdict }: Leftover) => verdict === "gone" || verdict === "safe";

const byHandler = (handlers: readonly KindHandler[], entries: readonly Entry[]) =>
  handlers
    .map((handler) => ({ handler, theirs: entries.filter(({ kind }) => handler.kinds.includes(kind)) }))
    .filter(({ theirs }) => theirs.length > 0);
