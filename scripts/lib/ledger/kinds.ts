// What `leftovers` must know of each kind of ledger entry. A new kind is one more object like lib/ledger/nas.ts, listed in scripts/leftovers.ts.
import type { Context } from "../run/context.ts";
import type { Entry } from "./ledger.ts";

export interface Sight {
  entry: Entry;
  /** `gone`: nothing to do but strike the entry out; `safe`: can be put back; `kept`: must stay, `why` says why; `unknown`: could not be asked. */
  verdict: "gone" | "safe" | "kept" | "unknown";
  why: string;
  /** What undoing it deletes for good: "VM k8s_0". */
  destroys?: string;
  /** The id of the thing that was seen, so that a later one of the same name is not taken for it. */
  identity?: string;
}

/** The verdict as the list and the messages say it. */
export const VERDICTS = { gone: "does not exist any more", safe: "can be undone", kept: "stays", unknown: "unknown" } as const;

/** What became of the entries that a run was asked to undo. */
export interface Undone {
  undone: Sight[];
  /** Each with the reason. */
  left: Sight[];
}

/** Which entries a run is about. A room sees the others of its kinds too, since they may say what these hold. */
export type Chosen = (entry: Entry) => boolean;

/** Entries of one outside thing. */
export interface Room {
  /** Kinds of entries that it answers for. */
  kinds: readonly string[];
  /** Looks, without changing anything. Throws when the outside thing cannot be asked. */
  see(entries: readonly Entry[], context: Context, chosen: Chosen): Promise<Sight[]>;
  /** Does what was confirmed: undoes what is safe, removes the entries of what is gone. What looks different now is left as it is. */
  undo(entries: readonly Entry[], context: Context, confirmed: readonly Sight[]): Promise<Undone>;
}

/** Looks at every entry, each in its room; what cannot be asked is unknown and says why. */
export async function seeAll(rooms: readonly Room[], entries: readonly Entry[], context: Context, chosen: Chosen): Promise<Sight[]> {
  const { textOf } = await import("../run/errors.ts");
  const known = await Promise.all(
    byRoom(rooms, entries).map(async ({ room, theirs }): Promise<Sight[]> => {
      try {
        return await room.see(theirs, context, chosen);
      } catch (error) {
        if (context.signal.aborted) throw error;
        return theirs.map((entry) => ({ entry, verdict: "unknown", why: textOf(error).split("\n")[0]! }));
      }
    }),
  );
  const strange = entries.filter(({ kind }) => !rooms.some(({ kinds }) => kinds.includes(kind)));
  const sights = [
    ...known.flat(),
    ...strange.map((entry): Sight => ({ entry, verdict: "unknown", why: `this version does not know the kind "${entry.kind}"` })),
  ];
  return sights.filter(({ entry }) => chosen(entry));
}

/** Has each room undo what was confirmed. A room that cannot be asked leaves all of its entries. */
export async function undoAll(
  rooms: readonly Room[],
  entries: readonly Entry[],
  confirmed: readonly Sight[],
  context: Context,
): Promise<Undone> {
  const { Failure, isCommandError, textOf } = await import("../run/errors.ts");
  const all: Undone = { undone: [], left: [] };
  for (const { room, theirs } of byRoom(rooms, entries)) {
    const wanted = confirmed.filter((sight) => isMovable(sight) && room.kinds.includes(sight.entry.kind));
    if (wanted.length === 0) continue;
    try {
      const { undone, left } = await room.undo(theirs, context, wanted);
      all.undone.push(...undone);
      all.left.push(...left);
    } catch (error) {
      if (context.signal.aborted || !(error instanceof Failure || isCommandError(error))) throw error;
      all.left.push(...wanted.map(({ entry }): Sight => ({ entry, verdict: "unknown", why: textOf(error).split("\n")[0]! })));
    }
  }
  return all;
}

/** Whether undoing does anything about it. */
export const isMovable = ({ verdict }: Sight) => verdict === "gone" || verdict === "safe";

const byRoom = (rooms: readonly Room[], entries: readonly Entry[]) =>
  rooms
    .map((room) => ({ room, theirs: entries.filter(({ kind }) => room.kinds.includes(kind)) }))
    .filter(({ theirs }) => theirs.length > 0);
