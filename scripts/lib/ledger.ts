// Reversible changes, written down before they are made and struck out when they are undone or done with. One small file each.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { removeFile, writeFile } from "./files.ts";
import { inState } from "./state-folder.ts";

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
}

export interface Ledger {
  /** Writes the entry down; call it before the change. */
  open(entry: Omit<Entry, "id" | "at">): Promise<Entry>;
  /** Adds what was learnt since, such as the id that the NAS gave. */
  amend(entry: Entry, facts: Entry["facts"]): Promise<Entry>;
  close(entry: Entry): Promise<void>;
  /** What is open, oldest first. */
  entries(): Entry[];
}

export function openLedger(state: string, now = () => new Date()): Ledger {
  const folder = join(state, "ledger");
  const fileOf = ({ id }: Pick<Entry, "id">) => join(folder, `${id}.json`);
  const write = (entry: Entry) =>
    inState(state, () => writeFile(fileOf(entry), `${JSON.stringify(entry, null, 2)}\n`, { mode: 0o600, door: "ledger" }));
  return {
    async open(entry) {
      const at = now().toISOString();
      const written = { id: `${at.replaceAll(":", "-")}-${entry.kind}-${entry.name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")}`, at, ...entry };
      await write(written);
      return written;
    },
    async amend(entry, facts) {
      const amended = { ...entry, facts: { ...entry.facts, ...facts } };
      await write(amended);
      return amended;
    },
    close: (entry) => inState(state, () => removeFile(fileOf(entry), "ledger")),
    entries() {
      const names = inState(state, () => filesIn(folder)).filter((name) => name.endsWith(".json") && !name.startsWith("."));
      return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Entry);
    },
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
