// How long a run waits before it gives up. HOME_OPS_PATIENCE multiplies every deadline, for a slow machine or network.
import { UsageError } from "./errors.ts";

const MOST = 100;
let factor: number | undefined;

/** The seconds to wait, from the seconds that a machine of average speed needs at most. */
export const patient = (seconds: number): number => seconds * (factor ??= readPatience(process.env.HOME_OPS_PATIENCE));

/** The configured factor; 1 by default. */
export function readPatience(text: string | undefined): number {
  if (text === undefined || text === "") return 1;
  const read = Number(text);
  if (!(read >= 1 && read <= MOST)) throw new UsageError(`HOME_OPS_PATIENCE is a number from 1 to ${MOST}, not ${JSON.stringify(text)}`);
  return read;
}

/** A deadline of a command, as zx takes it: `30s`, `2m`, `500ms`, or milliseconds. */
export function patientDuration(duration: string | number): number {
  if (typeof duration === "number") return patient(duration);
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(duration) ?? [];
  if (amount === undefined) throw new Error(`${duration} is no duration: 500ms, 30s, 2m`);
  return patient(Number(amount) * { ms: 1, s: 1_000, m: 60_000 }[unit as "ms" | "s" | "m"]);
}
