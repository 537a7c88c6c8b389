// Releases of TrueNAS by name, and what a NAS still has to do by itself.
import type { NasState } from "./nas.ts";

/** The version of the server for the name of a release. */
export const RELEASES: Record<string, string> = { "25.04.2": "25.04.2", "25.10": "25.10.5", "26": "26.0.0" };

/** Whether something on the NAS will change by itself: a zvol that is still held by a VM that has stopped. */
export const nasPending = ({ datasets }: Readonly<NasState>, now: number) => datasets.some(({ busyUntil = 0 }) => busyUntil > now);
