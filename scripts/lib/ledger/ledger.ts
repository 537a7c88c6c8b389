// Reversible changes, written down before they are made and struck out when they are undone or done with. One small file each.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Until } from "../run/effects.ts";
import { textOf } from "../run/errors.ts";
import { removeFile, writeFile } from "../run/files.ts";
import { inState } from "../run/state-folder.ts";
import { readJson } from "../run/tool-output.ts";

/** What was changed, of whose home, and what would put it back. */
export interface Entry {
  id: string;
  /** Kind and name of the thing: "zvol", "flashstor/VM/k8s_0-boot". */
  kind: string;
  name: string;
  /** Talos' cluster id or the cluster's name, or the NAS's identity: an entry of another home is refused. */
  home: string;
  procedure: string;
  at: string;
  /** What a later run must know to tell whether undoing is safe. */
  facts?: Record<string, string | number | boolean>;
  /** The procedure ended well and leaves the change in place. Without it, the procedure was interrupted or failed. */
  onPurpose?: boolean;
}

/** A file of the ledger that cannot be read: nobody knows which change it is about. */
export interface Torn {
  file: string;
  why: string;
}

export interface Ledger {
  /** Writes the entry down; call it before the change. After an abort it throws, as the change would; the other three still record what happened. */
  open(entry: Omit<Entry, "id" | "at">): Promise<Entry>;
  /** Adds what was learnt since, such as the id that the NAS gave. */
  amend(entry: Entry, facts: Entry["facts"]): Promise<Entry>;
  /** Notes that the procedure has ended well and leaves the change in place. */
  keep(entry: Entry): Promise<Entry>;
  close(entry: Entry): Promise<void>;
  /** What is open, oldest first; without the files that cannot be read, which `torn` names. */
  entries(): Entry[];
  torn(): Torn[];
}

export function openLedger(state: string, now = () => new Date()): Ledger {
  const folder = join(state, "ledger");
  const fileOf = ({ id }: Pick<Entry, "id">) => join(folder, `${id}.json`);
  const write = (entry: Entry, until?: Until) =>
    inState(state, () =>
      writeFile(fileOf(entry), `${JSON.stringify(entry, null, 2)}\n`, { mode: 0o600, door: "ledger", ...(until && { until }) }),
    );
  return {
    async open(entry) {
      const at = now().toISOString();
      const written = { id: `${at.replaceAll(":", "-")}-${entry.kind}-${entry.name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")}`, at, ...entry };
      await write(written);
      return written;
    },
    async amend(entry, facts) {
      const amended = { ...entry, facts: { ...entry.facts, ...facts } };
      await write(amended, "finishing");
      return amended;
    },
    async keep(entry) {
      const kept = { ...entry, onPurpose: true };
      await write(kept, "finishing");
      return kept;
    },
    close: (entry) => inState(state, () => removeFile(fileOf(entry), { door: "ledger", until: "finishing" })),
    entries: () => inState(state, () => readAll(folder)).flatMap((one) => ("entry" in one ? [one.entry] : [])),
    torn: () => inState(state, () => readAll(folder)).flatMap((one) => ("torn" in one ? [one.torn] : [])),
  };
}

/** Nothing was ever written down when the folder does not exist. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const ENTRY = { id: "", kind: "", name: "", home: "", procedure: "", at: "" } as const;

/** Every file of the ledger, oldest first; one that a crash or a full disk has torn does not hide the others. */
function readAll(folder: string): ({ entry: Entry } | { torn: Torn })[] {
  const names = filesIn(folder).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  return names.sort().flatMap((name): ReturnType<typeof readAll> => {
    const file = join(folder, name);
    try {
      return [{ entry: readJson<Entry>(readFileSync(file, "utf8"), { command: file, file: true }, ENTRY) }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // another run has just closed it
      return [{ torn: { file, why: textOf(error) } }];
    }
  });
}
