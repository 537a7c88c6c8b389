// The holds on the parts of one node's VM: recorded before they are created, removed again if the VM is never started.
import type { Entry, EntryOf, Owner } from "../ledger/entry.ts";
import type { Context } from "../run/context.ts";
import { type Hold, hold, resume } from "../run/hold.ts";
import type { Nas } from "../truenas/nas.ts";
import { undoEntry } from "../truenas/undo.ts";

export interface VmHolds {
  /** Creates a zvol of `volsize` bytes with `make`; continues the entry of an earlier run, if there is one. */
  zvol(name: string, volsize: number, make: () => Promise<unknown>): Promise<Hold<"zvol">>;
  /** The same for the VM. */
  vm(name: string, make: () => Promise<unknown>): Promise<Hold<"vm">>;
}

/** The holds on one node's VM, including those that earlier runs left open: see `earlier`, by name. */
export function openVmHolds(
  context: Pick<Context, "holds" | "ledger" | "ui">,
  nas: Nas,
  { owner, procedure, node, earlier }: { owner: Owner; procedure: string; node: string; earlier: ReadonlyMap<string, Entry> },
): VmHolds {
  const undo = (entry: Entry, signal: AbortSignal) => undoEntry({ ...context, nas: nas.withSignal(signal), signal }, entry);
  const about = { owner, procedure };
  return {
    zvol: (name, volsize, make) => {
      const old = earlier.get(name);
      if (old) return resume(context, old as EntryOf<"zvol">, make);
      return hold(context, { kind: "zvol", name, ...about, facts: { node, volsize } }, make, undo);
    },
    vm: (name, make) => {
      const old = earlier.get(name);
      if (old) return resume(context, old as EntryOf<"vm">, make);
      return hold(context, { kind: "vm", name, ...about, facts: { node } }, make, undo);
    },
  };
}
