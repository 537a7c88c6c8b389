// Errors of `op` that concern every request: op is missing, nobody is signed in, too many requests. Each has a message and the next command.
import { effectsSoFar } from "../run/effects.ts";
import { Failure } from "../run/errors.ts";

/** How a run of `op` ended. */
export interface Ending {
  text: string;
  exitCode?: number | null;
  /** Set when it was killed at its deadline. */
  signal?: string | null;
}

interface Trouble {
  sign: RegExp;
  said?: string;
  next: string;
}

const SAME = "then the same command again";

const TROUBLES: Trouble[] = [
  {
    sign: /op: (command )?not found|spawnSync op ENOENT|Could not find `op`/i,
    said: "1Password's command-line tool, op, is not on the PATH",
    next: `mise install, ${SAME}`,
  },
  { sign: /does not satisfy required version/i, next: `mise install, ${SAME}` },
  {
    sign: /\b429\b|too many requests|rate.?limit/i,
    next: `op service-account ratelimit (says when it ends; signed in by hand there is no such limit), ${SAME}`,
  },
  {
    sign: /no accounts? (is |are )?(configured|found)|connecting to desktop app/i,
    next: `op account add (or turn on the 1Password app's "Integrate with 1Password CLI", or set OP_SERVICE_ACCOUNT_TOKEN), ${SAME}`,
  },
  {
    sign: /session expired|not (currently )?signed in|signed out|authorization (prompt dismissed|timeout|denied)/i,
    next: `eval $(op signin), ${SAME}`,
  },
  {
    sign: /\b401\b|unauthori[sz]ed|invalid (bearer|service account|access)? ?token|authentication required|failed to decode.*token/i,
    next: `make a new token (OP_SERVICE_ACCOUNT_TOKEN, or OP_CONNECT_TOKEN), ${SAME}`,
  },
  {
    sign: /dial tcp|no such host|connection refused|network is unreachable|i\/o timeout|tls handshake|certificate signed by unknown/i,
    next: `reach 1Password (or the Connect server), ${SAME}`,
  },
];

/** A Failure for an error that concerns every reference; undefined if the error is about a single one. */
export function troubleOf({ text, exitCode, signal }: Ending, attempted: string): Failure | undefined {
  const said = plain(text);
  const now = effectsSoFar() === 0 ? "nothing was changed" : undefined;
  if (signal)
    return new Failure({
      attempted,
      said: "op did not answer in time: a question of the 1Password app may be waiting for you",
      now,
      next: "the same command again",
    });
  const gone = exitCode === 127 ? TROUBLES[0] : TROUBLES.find(({ sign }) => sign.test(said));
  if (gone) return new Failure({ attempted, said: gone.said ?? said, now, next: gone.next });
  const vault = absentVault(said);
  if (vault === undefined) return undefined;
  return new Failure({
    attempted,
    said,
    now,
    next: `op vault create "${vault}" (a service account must be given the vault by a person), then: task secrets:init`,
  });
}

/** The vault that `op` does not find. */
const absentVault = (said: string) => /"([^"]+)" isn't a vault/i.exec(said)?.[1];

/** Whether `op` reports that the whole item is missing. */
export const meansNoItem = (said: string) => /isn't an item|could not find item|could not resolve item|no item (was )?found/i.test(said);

/** What `op` said without `[ERROR] 2026/01/02 03:04:05 `. */
export const plain = (text: string) => text.replaceAll(/\[ERROR\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /g, "").trim();
