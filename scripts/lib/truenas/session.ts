// A logged-in connection that reconnects: reads are retried, changes are sent once, and a change without a reply is reported as unknown.
import { setTimeout as pause } from "node:timers/promises";
import pLimit from "p-limit";
import { effect } from "../run/effects.ts";
import type { Ui } from "../run/ui.ts";
import { until } from "../run/wait.ts";
import { type CollectionUpdate, type Connection, openConnection, type Wire } from "./connection.ts";
import type { Roles } from "./login.ts";
import { isBusy, isLoggedOut, NasRefused, NoAnswer, UnknownOutcome } from "./refusal.ts";

export interface SessionSetup {
  dial(): Promise<Wire>;
  /** Runs on each new connection; its refusal is final. */
  login(connection: Connection): Promise<Roles>;
  ui: Pick<Ui, "progress" | "debug">;
}

export interface Session {
  /** A read. It is retried on a new connection until `signal` aborts or the NAS does not answer for 90 s. */
  ask(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** A change, sent once. Throws UnknownOutcome when it was sent and no reply came. */
  act(
    method: string,
    params: readonly unknown[],
    what: string,
    signal: AbortSignal,
    settle?: (answer: unknown) => Promise<unknown>,
  ): Promise<unknown>;
  /** The newest row of a job that an event brought, and a promise that resolves at its next event. */
  jobs: { newest(id: number): Record<string, unknown> | undefined; next(id: number): Promise<void> };
  /** Logs in now, to fail early. */
  open(signal: AbortSignal): Promise<Roles>;
  close(): void;
}

const AWAY_SECONDS = 90;
const FIRST_SECONDS = 20; // at the start a wrong address is more likely than a restart
const IN_FLIGHT = 8; // TrueNAS runs 10 of a connection at once and refuses more than 20
const READ_SECONDS = 30;
/** Deadlines of calls that take longer than a read, in seconds. */
const ACT_SECONDS: Record<string, number> = {
  "vm.start": 120,
  "vm.create": 60,
  "vm.delete": 90,
  "vm.poweroff": 90,
  "pool.dataset.create": 90,
  "pool.dataset.delete": 120,
};

/** Opens nothing before the first call. */
export function openSession({ dial, login, ui }: SessionSetup): Session {
  let current: Promise<{ connection: Connection; roles: Roles }> | undefined;
  let failures = 0;
  const rows = new Map<number, Record<string, unknown>>();
  const waiting = new Map<number, (() => void)[]>();
  const limit = pLimit(IN_FLIGHT);

  const listen = ({ collection, id, fields }: CollectionUpdate) => {
    if (collection !== "core.get_jobs" || id === undefined) return;
    if (fields) rows.set(id, fields);
    for (const wake of waiting.get(id) ?? []) wake();
    waiting.delete(id);
  };
  const connect = async () => {
    if (failures > 0) await pause(Math.random() * Math.min(250 * 2 ** failures, 3_000)); // spreads the clients that reconnect after a restart
    failures += 1;
    const connection = openConnection(await dial());
    connection.onEvent(listen);
    try {
      const roles = await login(connection);
      rows.clear(); // job ids start again at 1 when the middleware restarts
      await connection.call("core.subscribe", ["core.get_jobs"], READ_SECONDS).catch(unlessRefused); // without events, jobs are polled
      failures = 0;
      return { connection, roles };
    } catch (error) {
      connection.close();
      throw error;
    }
  };
  const connected = async () => {
    const before = current;
    const known = await before?.catch(() => undefined);
    if (known?.connection.open) return known;
    if (current === before) current = undefined; // unless another call has reconnected meanwhile
    const mine = (current ??= connect());
    return mine.catch((error: unknown) => {
      if (current === mine) current = undefined;
      throw error;
    });
  };
  /** Retries until the NAS answers. `final` returns the error to throw when a call must not be retried. */
  const retryUntilAnswered = (
    signal: AbortSignal,
    attempt: (connection: Connection) => Promise<unknown>,
    final: (error: unknown) => Error | undefined = () => undefined,
    seconds = AWAY_SECONDS,
  ) =>
    until<{ answer: unknown }>(
      async () => {
        signal.throwIfAborted();
        let connection: Connection | undefined;
        try {
          ({ connection } = await connected());
          const open = connection;
          return { ready: { answer: await limit(() => attempt(open)) } };
        } catch (error) {
          const end = connection && final(error);
          if (end) throw end;
          if (isBusy(error)) return { waiting: "it is busy" };
          if (isLoggedOut(error)) connection?.close(); // a new login needs a new socket
          else if (!(error instanceof NoAnswer)) throw error;
          ui.debug((error as Error).message);
          return { waiting: (error as Error).message };
        }
      },
      { for: "TrueNAS to answer", seconds, ui, signal },
    ).then(({ answer }) => answer);

  return {
    ask: (method, params, signal) =>
      retryUntilAnswered(signal, (connection) => abortable(connection.call(method, params, READ_SECONDS), signal)),
    act: (method, params, what, signal, settle = async (answer) => answer) =>
      effect(
        "nas",
        `${method} ${what}`,
        async () => {
          const answer = await retryUntilAnswered(
            signal,
            (connection) => connection.call(method, params, ACT_SECONDS[method] ?? READ_SECONDS, `${method} ${what}`),
            (error) =>
              error instanceof NoAnswer && error.sent
                ? new UnknownOutcome(`the outcome of ${method} ${what} is unknown: ${error.message}`, { cause: error })
                : undefined,
          );
          return settle(answer);
        },
        signal,
      ),
    jobs: {
      newest: (id) => rows.get(id),
      next: (id) => new Promise((resolve) => waiting.set(id, [...(waiting.get(id) ?? []), resolve])),
    },
    open: async (signal) => {
      await retryUntilAnswered(signal, async () => undefined, undefined, FIRST_SECONDS);
      return (await connected()).roles;
    },
    close: () =>
      void current?.then(
        ({ connection }) => connection.close(),
        () => {},
      ),
  };
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof NasRefused)) throw error;
}

/** Ends the wait for a read when the signal aborts. A change is still awaited: the NAS carries it out anyway. */
async function abortable<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([call, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    call.catch(() => {}); // a late rejection is not unhandled
  }
}
