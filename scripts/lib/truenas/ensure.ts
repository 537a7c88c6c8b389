// Makes a thing exist exactly once, although the answer to "make it" may get lost: between two tries it looks.
import { Failure } from "../run/errors.ts";
import type { Ui } from "../run/ui.ts";
import { untilOrNot } from "../run/wait.ts";
import { UnknownOutcome } from "./refusal.ts";

export interface Ensure<T> {
  /** The thing, for errors: "zvol flashstor/VM/k8s_0-boot". */
  thing: string;
  make(): Promise<unknown>;
  /** The thing as it is now, or undefined when it is not there. */
  look(): Promise<T | undefined>;
  /** Seconds that it may take to appear. */
  seconds?: number;
  ui: Pick<Ui, "progress">;
  signal: AbortSignal;
}

const TRIES = 3;
const LATE_SECONDS = 6; // a server that lost our connection may still be carrying out what it heard

/** Returns the thing as the world shows it. Throws what `make` threw, or a Failure when it said yes and nothing is there. */
export async function ensure<T>({ thing, make, look, seconds = 10, ui, signal }: Ensure<T>): Promise<T> {
  const appear = (patience: number) => appears(look, thing, patience, ui, signal);
  for (let tries = 1; ; tries += 1) {
    try {
      await make();
    } catch (error) {
      const unknown = error instanceof UnknownOutcome;
      const there = unknown ? await appear(LATE_SECONDS) : tries > 1 ? await look() : undefined;
      if (there !== undefined) return there; // also when a second try was refused because the first had worked after all
      if (!unknown || tries === TRIES) throw error;
      continue;
    }
    const made = await appear(seconds);
    if (made === undefined) throw new Failure({ attempted: `make ${thing}`, said: "TrueNAS said yes", now: "it is not there" });
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
      return there === undefined ? { waiting: "not there yet" } : { ready: there };
    },
    { for: thing, seconds, ui, signal },
  );
