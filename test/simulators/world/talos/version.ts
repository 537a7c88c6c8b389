// Which Talos a machine runs; its minor decides how its API behaves.
import type { MachineState } from "./machine-state.ts";

/** `v1.13.9`: of its disk when it runs, of its ISO in maintenance. */
export const talosOf = ({ stage, installed, iso }: MachineState) =>
  (stage === "running" ? installed : (iso ?? installed))?.talos ?? "v1.13.9";

/** 13 for `v1.13.9`. The behaviour of 14 follows the release notes and the source: no such binary was at hand to hold it against. */
export const minorOf = (machine: MachineState) => Number(/^v1\.(\d+)/.exec(talosOf(machine))?.[1] ?? 13);

/** How many minors apart the versions of Talos behave differently here: what an API call needs to have been introduced. */
export const SINCE = { maintenanceApi: 13, lifecycle: 13, autoNeverReboots: 14 };
