// The report of a run: one JSON line per event, written before and after each effect.
import { appendFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "./redact.ts";
import { inState } from "./state-folder.ts";

export type Event =
  | { event: "start"; procedure: string; words: string[]; dryRun: boolean }
  /** An effect, before it begins and after it ended: a command line, a NAS call, a request, a written file. */
  | { event: "effect"; phase: "before" | "after"; door: Door; what: string; ok?: boolean; ms?: number }
  | { event: "step"; name: string; saw: string; ms: number }
  | { event: "waived"; gate: string }
  | { event: "end"; ok: boolean; code: number; message?: string; ms: number };

export type Door = "command" | "nas" | "http" | "file" | "ledger";

export interface Report {
  /** The file of the events; undefined in a dry run, which writes nothing. */
  readonly file: string | undefined;
  /** Throws the first time an event cannot be written. */
  write(event: Event): void;
}

const KEPT = 200;

/** Opens the report of one run under `<state>/runs/`, keeping the newest 200. Time stamps are ISO 8601, durations milliseconds. */
export function openReport(state: string, procedure: string, now = () => new Date()): Report {
  const folder = join(state, "runs");
  inState(state, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const old of readdirSync(folder).sort().slice(0, -KEPT)) rmSync(join(folder, old), { force: true });
  });
  const file = join(folder, `${now().toISOString().replaceAll(":", "-")}-${procedure.replaceAll(":", "-")}-${process.pid}.ndjson`);
  let broken = false;
  return {
    file,
    write(event) {
      try {
        inState(state, () => appendFileSync(file, `${toJson({ at: now().toISOString(), ...event })}\n`, { mode: 0o600 }));
      } catch (error) {
        if (broken) return; // the first failure has stopped the run; later ones must not stop its cleanup
        broken = true;
        throw error;
      }
    },
  };
}

/** A report that writes nothing, for dry runs and tests. */
export const silentReport: Report = { file: undefined, write: () => {} };
