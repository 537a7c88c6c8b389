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
}

/** Which entries a run is about. A room sees the others of its kinds too, since they may say what these hold. */
export type Chosen = (entry: Entry) => boolean;

/** Entries of one outside thing. */
export interface Room {
  /** Kinds of entries that it answers for. */
  kinds: readonly string[];
  /** Looks, without changing anything. Throws when the outside thing cannot be asked. */
  see(entries: readonly Entry[], context: Context, chosen: Chosen): Promise<Sight[]>;
  /** Undoes those of the chosen that are safe, removes the entries of what is gone, confirms both, and returns what stays. */
  undo(entries: readonly Entry[], context: Context, chosen: Chosen): Promise<Sight[]>;
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

/** Has each room undo what the sights say can be undone; returns what stays. */
export async function undoAll(
  rooms: readonly Room[],
  entries: readonly Entry[],
  sights: readonly Sight[],
  context: Context,
): Promise<Sight[]> {
  const ids = new Set(sights.filter(isMovable).map(({ entry }) => entry.id));
  const chosen: Chosen = ({ id }) => ids.has(id);
  const left: Sight[] = [];
  for (const { room, theirs } of byRoom(rooms, entries)) if (theirs.some(chosen)) left.push(...(await room.undo(theirs, context, chosen)));
  return left;
}

/** Whether undoing does anything about it. */
export const isMovable = ({ verdict }: Sight) => verdict === "gone" || verdict === "safe";

const byRoom = (rooms: readonly Room[], entries: readonly Entry[]) =>
  rooms
    .map((room) => ({ room, theirs: entries.filter(({ kind }) => room.kinds.includes(kind)) }))
    .filter(({ theirs }) => theirs.length > 0);
