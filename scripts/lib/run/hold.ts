// Reversible changes: each is recorded in the ledger before it is made, and undone when its scope ends, however it ends.
import type { Entry, EntryOf, Kind, KindFacts, NewEntry } from "../ledger/entry.ts";
import type { Context } from "./context.ts";
import { type Account, Failure, isOnlyAbort, textOf } from "./errors.ts";
import { finishing } from "./finishing.ts";
import type { Releasable } from "./releasable.ts";

export interface Hold<K extends Kind> {
  /** The entry with all facts so far. */
  entry(): EntryOf<K>;
  /** Adds facts to the entry. */
  learn(facts: Partial<KindFacts[K]>): Promise<void>;
  /** The change is permanent from now on: removes the entry. */
  settle(): Promise<void>;
  /** Leaves the change in place on purpose; `task leftovers` lists it and can undo it by name. */
  keep(): Promise<void>;
  /** Leaves it to a person from now on: the entry stays, as of an interrupted run, until `keep` or `settle`. */
  leave(): void;
  /** Undoes the change now. */
  release(): Promise<void>;
}

type Holding = Pick<Context, "holds" | "ledger">;

/** How long an undo may take, in seconds, also after Ctrl-C. */
const UNDO_SECONDS = 60;

/**
 * Records a change, then makes it. When the scope (the run, or `withHolds`) ends and the hold was not settled, kept or left, `undo` runs, the last hold
 * first. `undo` looks at the outside, undoes the change only if that is safe, and returns when this is confirmed. If it throws, the entry stays and
 * `task leftovers` lists it. `apply` may fail half-way: `undo` then finds out what there is.
 */
export async function hold<K extends Kind>(
  context: Holding,
  wanted: Omit<EntryOf<K>, "id" | "at" | "onPurpose">,
  apply: () => Promise<unknown>,
  undo: (entry: EntryOf<K>, signal: AbortSignal) => Promise<void>,
): Promise<Hold<K>> {
  const entry = (await context.ledger.open(wanted as NewEntry)) as EntryOf<K>;
  const held = track(context, entry, { undo, state: "held" });
  await apply();
  return held;
}

/** Continues a change that an earlier run has recorded. Only a person undoes it. */
export async function resume<K extends Kind>(context: Holding, entry: EntryOf<K>, apply: () => Promise<unknown>): Promise<Hold<K>> {
  const held = track(context, entry, { undo: () => Promise.reject(new Error("an earlier run made it")), state: "left" });
  await apply();
  return held;
}

function track<K extends Kind>(
  { holds, ledger }: Holding,
  first: EntryOf<K>,
  { undo, state }: { undo: (entry: EntryOf<K>, signal: AbortSignal) => Promise<void>; state: "held" | "left" | "over" },
): Hold<K> {
  let entry = first;
  const end = (how: typeof state) => void (state = how);
  const release = async () => {
    await finishing(UNDO_SECONDS, (signal) => undo(entry, signal));
    await ledger.close(entry as Entry);
    end("over");
  };
  holds.push({ describe: () => `${entry.kind} ${entry.name}`, isHeld: () => state === "held", release });
  return {
    entry: () => entry,
    async learn(facts) {
      if (Object.entries(facts).every(([name, value]) => (entry.facts as Record<string, unknown>)[name] === value)) return;
      entry = (await ledger.amend(entry as Entry, facts as Entry["facts"])) as EntryOf<K>;
    },
    async settle() {
      await ledger.close(entry as Entry);
      end("over");
    },
    async keep() {
      await ledger.keep(entry as Entry);
      end("left");
    },
    leave: () => end("left"),
    release,
  };
}

/** Runs `act` in a scope of its own: what it still holds at its end is undone, also after a failure or Ctrl-C. `next` is the command that continues. */
export async function withHolds<C extends Holding & Pick<Context, "signal">, T>(
  context: C,
  act: (scope: C) => Promise<T>,
  { next }: { next?: string } = {},
): Promise<T> {
  const holds: Releasable[] = [];
  let result: T;
  try {
    result = await act({ ...context, holds });
  } catch (error) {
    const left = await releaseAll(holds);
    if (left.length === 0 || isStop(error)) throw withNext(error, next);
    if (isOnlyAbort(error, context.signal)) throw notUndone(left, next);
    const account: Account = error instanceof Failure ? error.account : { attempted: "finish the run", said: textOf(error) };
    throw new Failure(
      { ...account, said: [account.said, ...left].filter(Boolean).join("\n"), next: next ?? account.next ?? LEFTOVERS },
      { cause: error },
    );
  }
  const left = await releaseAll(holds);
  if (left.length > 0) throw notUndone(left, next);
  return result;
}

/** The same error. A failure without a next command gets this one. */
const withNext = (error: unknown, next: string | undefined): unknown =>
  error instanceof Failure && error.account.next === undefined && next !== undefined
    ? new Failure({ ...error.account, next }, { cause: error.cause })
    : error;

const LEFTOVERS = "task leftovers";

const notUndone = (left: string[], next = LEFTOVERS) =>
  new Failure({ attempted: "undo what this run changed for a while", said: left.join("\n"), next });

const isStop = (error: unknown) => error instanceof Error && error.name === "Stop";

/** Undoes what is still held, the last first. Returns a line for each change that could not be undone. */
async function releaseAll(holds: readonly Releasable[]): Promise<string[]> {
  const left: string[] = [];
  for (const one of holds.toReversed()) {
    if (!one.isHeld()) continue;
    try {
      await one.release();
    } catch (error) {
      left.push(`not undone: ${one.describe()} (${reasonOf(error)}); task leftovers lists it`);
    }
  }
  return left;
}

const reasonOf = (error: unknown) => (error instanceof Failure ? (error.account.said ?? error.message) : textOf(error));
