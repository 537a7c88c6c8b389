// The ledger entries of one node's VM: each is written before the thing is created, amended afterwards, and closed at the end.
import type { Entry, Ledger } from "../ledger/ledger.ts";

export interface VmEntries {
  /** Opens an entry, unless an earlier run left one. */
  open(kind: "vm" | "zvol", name: string, facts?: NonNullable<Entry["facts"]>): Promise<void>;
  /** Adds facts to the entry. */
  learn(name: string, facts: NonNullable<Entry["facts"]>): Promise<void>;
  /** The facts of the entry. */
  factsOf(name: string): Entry["facts"];
  /** Closes every entry, the VM's last: while it is open, a later run knows that the disks are ours. */
  close(): Promise<void>;
  /** The entries of this run, whose things it may remove. */
  mine(): Entry[];
}

/** The entries of one node's VM, including those that earlier runs left open. */
export function openVmEntries(
  ledger: Ledger,
  about: Pick<Entry, "home" | "procedure"> & { node: string },
  earlier: ReadonlyMap<string, Entry>,
): VmEntries {
  const known = new Map(earlier);
  const mine = new Set<string>();
  return {
    async open(kind, name, facts = {}) {
      if (known.has(name)) return;
      known.set(
        name,
        await ledger.open({ kind, name, home: about.home, procedure: about.procedure, facts: { node: about.node, ...facts } }),
      );
      mine.add(name);
    },
    async learn(name, facts) {
      const entry = known.get(name)!;
      if (Object.entries(facts).every(([key, value]) => entry.facts?.[key] === value)) return;
      known.set(name, await ledger.amend(entry, facts));
    },
    factsOf: (name) => known.get(name)?.facts,
    async close() {
      const order = [...known.values()].sort((a, b) => Number(a.kind === "vm") - Number(b.kind === "vm"));
      for (const entry of order) await ledger.close(entry);
    },
    mine: () => [...known.values()].filter(({ name }) => mine.has(name)),
  };
}
