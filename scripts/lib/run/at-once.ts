// Work on several things: reads side by side, effects on independent nodes side by side, effects on a running cluster one node after the other.
// Everything that began is awaited, every failure is reported, and nothing new begins after a failure or an abort. `Promise.all` must not run over effects.
import type { Context } from "./context.ts";
import { Failure, isOnlyAbort, withoutNext } from "./errors.ts";
import type { Node } from "../cluster/cluster.ts";

const AT_ONCE = 8;

/** The results of `one` for each item, in order, at most eight at a time. Everything that began has ended when it returns or throws; it throws the first failure. */
export async function eachOf<T, R>(all: readonly T[], one: (item: T) => Promise<R>): Promise<R[]> {
  let stopped = false;
  const noticing = async (item: T) => {
    try {
      return await one(item);
    } catch (error) {
      stopped = true;
      throw error;
    }
  };
  const ended = await settle(all, noticing, AT_ONCE, () => stopped);
  const failed = ended.find((each) => each?.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return ended.map((each) => (each as PromiseFulfilledResult<R>).value);
}

/** What `forEachNode` and `rolling` say when something failed. */
export interface Work {
  /** "apply the machine configs" */
  attempted: string;
  /** The command that continues. */
  next: string;
  atOnce?: number;
}

type Run = Pick<Context, "signal">;

/** Runs effects on independent items in parallel. Each is awaited, no new one begins after a failure or an abort, and all failures are thrown together. */
export async function forEachNode<T, R>(
  { signal }: Run,
  items: readonly T[],
  work: Work & { nameOf(item: T): string },
  one: (item: T) => Promise<R>,
): Promise<R[]> {
  let stopped = false;
  const ended = await settle(
    items,
    async (item) => {
      try {
        return await one(item);
      } catch (error) {
        stopped = true;
        throw error;
      }
    },
    work.atOnce ?? AT_ONCE,
    () => stopped || signal.aborted,
  );
  const rejected = ended.flatMap((each, index) =>
    each?.status === "rejected" ? [{ item: items[index]!, error: each.reason as unknown }] : [],
  );
  const failures = rejected.filter(({ error }) => !isOnlyAbort(error, signal));
  const cut = rejected.filter((one) => !failures.includes(one)).map(({ item }) => work.nameOf(item));
  const skipped = items.filter((_, index) => ended[index] === undefined).map((item) => work.nameOf(item));
  if (failures.length === 0) {
    signal.throwIfAborted();
    return ended.map((each) => (each as PromiseFulfilledResult<R>).value);
  }
  if (items.length === 1) throw failures[0]!.error;
  throw new Failure({
    attempted: work.attempted,
    said: [
      ...failures.map(({ item, error }) => `${work.nameOf(item)}: ${withoutNext(error)}`),
      ...(cut.length > 0 ? [`interrupted: ${cut.join(", ")}`] : []),
      ...(skipped.length > 0 ? [`not started: ${skipped.join(", ")}`] : []),
    ].join("\n"),
    next: work.next,
  });
}

/** Runs effects on a running cluster, one node after the other. Asks the gates again before each node that goes down. Stops at the first failure and names the nodes that were not reached. */
export async function rolling<T extends { node: Node }>(
  context: Pick<Context, "signal" | "checkGates">,
  items: readonly T[],
  work: Work & { takesDown(item: T): boolean },
  one: (item: T) => Promise<void>,
): Promise<void> {
  for (const [index, item] of items.entries()) {
    try {
      context.signal.throwIfAborted();
      if (work.takesDown(item)) await context.checkGates({ takesDown: [item.node] });
      await one(item);
    } catch (error) {
      const left = items.slice(index + 1).map(({ node }) => node.name);
      if (left.length === 0 || isOnlyAbort(error, context.signal)) throw error;
      throw new Failure({
        attempted: work.attempted,
        said: `${item.node.name}: ${withoutNext(error)}`,
        now: `not started: ${left.join(", ")}`,
        next: work.next,
      });
    }
  }
}

/** Runs `one` over all items, at most `limit` at a time. An item that never began, because `stopped` returned true, has no result. */
async function settle<T, R>(
  items: readonly T[],
  one: (item: T) => Promise<R>,
  limit: number,
  stopped: () => boolean,
): Promise<(PromiseSettledResult<R> | undefined)[]> {
  const results: (PromiseSettledResult<R> | undefined)[] = items.map(() => undefined);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      if (stopped()) return;
      [results[index]] = await Promise.allSettled([one(item)]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker)); // workers never reject
  return results;
}
