// What `leftovers` must know of each kind of ledger entry. A new kind is one more object like lib/leftovers/nas.ts, listed in scripts/leftovers.ts.
import type { Context } from "../context.ts";
import type { Entry } from "../ledger.ts";

export interface Sight {
  entry: Entry;
  /** `gone`: nothing to do but strike the entry out; `safe`: can be put back; `kept`: must stay, `why` says why; `unknown`: could not be asked. */
  verdict: "gone" | "safe" | "kept" | "unknown";
  why: string;
  /** What putting it back cannot get back: "VM k8s_0". */
  destroys?: string;
}

/** Entries of one outside thing. */
export interface Room {
  /** Kinds of entries that it answers for. */
  kinds: readonly string[];
  /** Looks, without changing anything. Throws when the outside thing cannot be asked. */
  see(entries: readonly Entry[], context: Context): Promise<Sight[]>;
  /** Puts back what is safe, strikes out what is gone, looks that it is so, and returns what stays. */
  undo(entries: readonly Entry[], context: Context): Promise<Sight[]>;
}

/** Looks at every entry, each in its room; what cannot be asked is unknown and says why. */
export async function seeAll(rooms: readonly Room[], entries: readonly Entry[], context: Context): Promise<Sight[]> {
  const { textOf } = await import("../errors.ts");
  const known = await Promise.all(
    byRoom(rooms, entries).map(async ({ room, theirs }): Promise<Sight[]> => {
      try {
        return await room.see(theirs, context);
      } catch (error) {
        if (context.signal.aborted) throw error;
        return theirs.map((entry) => ({ entry, verdict: "unknown", why: textOf(error).split("\n")[0]! }));
      }
    }),
  );
  const strange = entries.filter(({ kind }) => !rooms.some(({ kinds }) => kinds.includes(kind)));
  return [
    ...known.flat(),
    ...strange.map((entry): Sight => ({ entry, verdict: "unknown", why: `nobody here knows what a ${entry.kind} is` })),
  ];
}

/** Entries that are `gone` or `safe`, given to the room that handles them; returns what stays. */
export async function undoAll(rooms: readonly Room[], sights: readonly Sight[], context: Context): Promise<Sight[]> {
  const movable = sights.filter(({ verdict }) => verdict === "gone" || verdict === "safe").map(({ entry }) => entry);
  const left: Sight[] = [];
  for (const { room, theirs } of byRoom(rooms, movable)) left.push(...(await room.undo(theirs, context)));
  return left;
}

const byRoom = (rooms: readonly Room[], entries: readonly Entry[]) =>
  rooms
    .map((room) => ({ room, theirs: entries.filter(({ kind }) => room.kinds.includes(kind)) }))
    .filter(({ theirs }) => theirs.length > 0);
