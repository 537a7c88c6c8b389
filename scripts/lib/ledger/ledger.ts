// The ledger: reversible changes, recorded before they are made and removed when they are undone or permanent. One small file each.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Entry, entryOf, type NewEntry, type StoredEntry } from "./entry.ts";
import type { Until } from "../run/effects.ts";
import { textOf } from "../run/errors.ts";
import { removeFile, writeFile } from "../run/files.ts";
import { inState } from "../run/state-folder.ts";
import { expectShape, readJson } from "../run/tool-output.ts";

/** A file of the ledger that cannot be read. The change that it records is unknown. */
export interface Torn {
  file: string;
  why: string;
}

export interface Ledger {
  /** Records an entry; call it before the change. After an abort it throws, as the change would; the other three still record what happened. */
  open(entry: NewEntry): Promise<Entry>;
  /** Adds facts, such as the id that the NAS has assigned. */
  amend(entry: Entry, facts: Entry["facts"]): Promise<Entry>;
  /** Records that the procedure has ended well and leaves the change in place. */
  keep(entry: Entry): Promise<Entry>;
  close(entry: Entry): Promise<void>;
  /** The open entries, oldest first, without the files that cannot be read: see `torn`. */
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
      const written: Entry = {
        id: `${at.replaceAll(":", "-")}-${entry.kind}-${entry.name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")}`,
        at,
        ...entry,
      };
      await write(written);
      return written;
    },
    async amend(entry, facts) {
      const amended = { ...entry, facts: { ...entry.facts, ...facts } } as Entry;
      await write(amended, "finishing");
      return amended;
    },
    async keep(entry) {
      const kept: Entry = { ...entry, onPurpose: true };
      await write(kept, "finishing");
      return kept;
    },
    close: (entry) => inState(state, () => removeFile(fileOf(entry), { door: "ledger", until: "finishing" })),
    entries: () => inState(state, () => readAll(folder)).flatMap((one) => ("entry" in one ? [one.entry] : [])),
    torn: () => inState(state, () => readAll(folder)).flatMap((one) => ("torn" in one ? [one.torn] : [])),
  };
}

/** A missing folder is an empty ledger. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const ENTRY = { id: "", kind: "", name: "", procedure: "", at: "" } as const;
const OWNED = { ...ENTRY, owner: {} } as const;
const OWNED_BY_HOME = { ...ENTRY, home: "" } as const; // written by an older version

/** Every file of the ledger, oldest first. A file damaged by a crash or a full disk does not hide the others. */
function readAll(folder: string): ({ entry: Entry } | { torn: Torn })[] {
  const names = filesIn(folder).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  return names.sort().flatMap((name): ReturnType<typeof readAll> => {
    const file = join(folder, name);
    try {
      const text = readFileSync(file, "utf8");
      const source = { command: file, file: true };
      const stored = readJson<StoredEntry>(text, source, ENTRY);
      return [{ entry: entryOf(expectShape(stored, source, stored.owner === undefined ? OWNED_BY_HOME : OWNED)) }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // another run has just closed it
      return [{ torn: { file, why: textOf(error) } }];
    }
  });
}
