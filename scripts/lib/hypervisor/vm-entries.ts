// What one node's making writes into the ledger: each thing before it is made, what is learnt after, all struck out at the end.
import type { Entry, Ledger } from "../ledger/ledger.ts";

export interface VmEntries {
  /** Writes the thing down, unless an earlier run did. */
  open(kind: "vm" | "zvol", name: string, facts?: NonNullable<Entry["facts"]>): Promise<void>;
  /** Adds what was learnt of it. */
  learn(name: string, facts: NonNullable<Entry["facts"]>): Promise<void>;
  /** What is known of it so far. */
  factsOf(name: string): Entry["facts"];
  /** Removes every entry, the VM last: while its entry stands, a later run knows that the disks are ours. */
  close(): Promise<void>;
  /** What this run wrote down, and so may take back. */
  mine(): Entry[];
}

/** VmEntries about one node, going on from the entries that earlier runs left open. */
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
