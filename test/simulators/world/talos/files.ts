// What can be read off a node: a few files, its console, the logs of its services.
import { configOf, hostnameOf } from "./machines.ts";
import { talosOf } from "./version.ts";
import type { MachineState } from "./machine-state.ts";

/** A file's text; undefined when there is none. */
export function fileOf(machine: MachineState, path: string): string | undefined {
  const files: Record<string, string | undefined> = {
    "/proc/sys/kernel/random/boot_id": `${machine.bootId}\n`,
    "/etc/hostname": `${hostnameOf(machine)}\n`,
    "/etc/os-release": `NAME="Talos"\nID=talos\nVERSION_ID=${talosOf(machine)}\nPRETTY_NAME="Talos (${talosOf(machine)})"\n`,
    "/system/state/config.yaml": machine.config?.persistent,
  };
  return files[path];
}

/** What lies below a folder; undefined when there is no such folder. etcd's tells whether it ever ran here. */
export const filesBelow = (machine: MachineState, path: string): string[] | undefined =>
  path === "/var/lib/etcd" ? (machine.etcd ? ["member"] : []) : undefined;

/** The console since the last boot. */
export function consoleOf(machine: MachineState): string[] {
  const { stage, installed, complaint } = machine;
  const task = (text: string, at: string) => `user: warning: [2026-01-01T00:00:0${at}Z]: [talos] ${text}`;
  return [
    "kern:  notice: [2026-01-01T00:00:00Z]: Linux version 6.18.0-talos",
    task(`version ${talosOf(machine)}`, "1"),
    task(`machine is ${installed ? "" : "not "}installed`, "2"),
    ...(configOf(machine) ? [task(`hostname is ${hostnameOf(machine)}`, "3")] : [task("entering maintenance service", "3")]),
    ...(complaint ? [task(complaint, "4")] : []),
    task(`stage ${stage}`, "5"),
  ];
}

/** The log of a service of Talos. */
export const LOGS = ({ id, state, event }: { id: string; state: string; event: string }): string[] => [
  `${id}: starting`,
  `${id}: ${state}: ${event}`,
];
