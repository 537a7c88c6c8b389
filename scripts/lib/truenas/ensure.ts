// Creates a thing exactly once, even when the reply to a create call is lost: it looks before each retry.
import { Failure } from "../run/errors.ts";
import type { Ui } from "../run/ui.ts";
import { untilOrNot } from "../run/wait.ts";
import { UnknownOutcome } from "./refusal.ts";

export interface Ensure<T> {
  /** The thing, for errors: "zvol flashstor/VM/k8s_0-boot". */
  thing: string;
  make(): Promise<unknown>;
  /** The thing as it is now, or undefined when it does not exist. */
  look(): Promise<T | undefined>;
  /** How long it may take to appear, in seconds. */
  seconds?: number;
  ui: Pick<Ui, "progress">;
  signal: AbortSignal;
}

const TRIES = 3;
const LATE_SECONDS = 6; // after a lost connection the server may still carry out the call

/** Returns the thing as the NAS shows it. Throws the error of `make`, or a Failure when `make` succeeded and the thing does not appear. */
export async function ensure<T>({ thing, make, look, seconds = 10, ui, signal }: Ensure<T>): Promise<T> {
  const appear = (patience: number) => appears(look, thing, patience, ui, signal);
  for (let tries = 1; ; tries += 1) {
    try {
      await make();
    } catch (error) {
      const unknown = error instanceof UnknownOutcome;
      const there = unknown ? await appear(LATE_SECONDS) : tries > 1 ? await look() : undefined;
      if (there !== undefined) return there; // a retry is also refused when the first try succeeded
      if (!unknown || tries === TRIES) throw error;
      continue;
    }
    const made = await appear(seconds);
    if (made === undefined) throw new Failure({ attempted: `make ${thing}`, said: "TrueNAS reported success", now: "it does not exist" });
    return made;
  }
}

const appears = <T>(
  look: () => Promise<T | undefined>,
  thing: string,
  seconds: number,
  ui: Pick<Ui, "progress">,
  signal: AbortSignal,
): Promise<T | undefined> =>
  untilOrNot<T>(
    async () => {
      const there = await look();
      return there === undefined ? { waiting: "it does not exist yet" } : { ready: there };
    },
    { for: thing, seconds, ui, signal },
  );
