// Undoes what a run created on the NAS, VMs that were never started and their disks, each only if its observed state makes that safe.
import { Failure } from "../run/errors.ts";
import type { Leftover, Undone } from "../ledger/leftover.ts";
import { type Entry, type EntryOf, isOwner } from "../ledger/entry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { undoConfirmed } from "../ledger/undo-confirmed.ts";
import type { Ui } from "../run/ui.ts";
import { type Probe, until } from "../run/wait.ts";
import type { Nas } from "./nas.ts";
import { type Dataset, findDataset, findPool, findVm, ownerOf, readDatasets, readVms, type Vm } from "./queries.ts";
import { NasRefused, UnknownOutcome } from "./refusal.ts";

export interface NasFacts {
  /** The owners of this NAS's entries, one for each pool. */
  owners: Set<string>;
  vms: Vm[];
  zvols: Map<string, Dataset>;
}

/** A zvol that nothing was ever installed on holds next to nothing. */
const EMPTY_BYTES = 16 * 1024 ** 2;

/** Asks the NAS about everything that these entries name. */
export async function readNasFacts(nas: Pick<Nas, "ask">, entries: readonly Entry[]): Promise<NasFacts> {
  const pools = [...new Set(entries.map(({ owner }) => /^pool (\S+) /.exec(owner.nas ?? "")?.[1]).filter((name) => name !== undefined))];
  const [found, vms, zvols] = await Promise.all([
    Promise.all(pools.map((name) => findPool(nas, name))),
    readVms(nas),
    readDatasets(
      nas,
      entries.filter(({ kind }) => kind === "zvol").map(({ name }) => name),
    ),
  ]);
  return { owners: new Set(found.filter((pool) => pool !== undefined).map((pool) => ownerOf(pool).nas)), vms, zvols };
}

/**
 * Pure: the verdict on each entry, VMs first. A disk counts as free if its VM is among the `chosen` and can be deleted, or, once that was tried
 * (`vmsTried`), only if no VM uses it. It needs all entries, including those that are not chosen: a VM's entry says whether its disks may hold data.
 */
export function leftoversOf(
  entries: readonly Entry[],
  facts: NasFacts,
  { vmsTried = false, chosen = () => true }: { vmsTried?: boolean; chosen?: (entry: Entry) => boolean } = {},
): Leftover[] {
  const vms = entries.filter((entry) => entry.kind === "vm").map((entry) => ({ entry, ...verdictOnVm(entry, facts) }));
  const leaves = ({ entry, verdict }: Leftover) => verdict === "safe" && !vmsTried && chosen(entry);
  const leaving = new Set(vms.filter(leaves).map(({ entry }) => entry.name));
  const started = new Set(vms.filter(({ entry }) => entry.facts.startAttempted).map(({ entry }) => entry.facts.node));
  const zvols = entries
    .filter((entry) => entry.kind === "zvol")
    .map((entry) => ({ entry, ...verdictOnZvol(entry, facts, leaving, started) }));
  return [...vms, ...zvols];
}

type Verdict = Pick<Leftover, "verdict" | "why" | "identity">;
const kept = (why: string): Verdict => ({ verdict: "kept", why });

function verdictOnVm({ name, owner, facts: known }: EntryOf<"vm">, { owners, vms }: NasFacts): Verdict {
  if (!owners.has(owner.nas ?? "")) return kept("it belongs to another NAS");
  const vm = vms.find((each) => each.name === name);
  if (!vm) return { verdict: "gone", why: "no such VM" };
  if (known.id !== undefined && known.id !== vm.id) return kept("another VM has its name now");
  if (vm.status.state !== "STOPPED") return kept(`it is ${vm.status.state.toLowerCase()}; task vm:deploy finishes it`);
  if (known.startAttempted) return kept("it was started: its disks may hold data; task vm:deploy finishes it, or delete it on the NAS");
  return { verdict: "safe", why: "never started", identity: String(vm.id) };
}

function verdictOnZvol(
  { name, owner, facts: known }: EntryOf<"zvol">,
  { owners, vms, zvols }: NasFacts,
  leaving: Set<string>,
  started: Set<unknown>,
): Verdict {
  if (!owners.has(owner.nas ?? "")) return kept("it belongs to another NAS");
  const zvol = zvols.get(name);
  if (!zvol) return { verdict: "gone", why: "no such zvol" };
  const user = vms.find(
    (vm) => !leaving.has(vm.name) && vm.devices.some(({ attributes }) => attributes.path === `/dev/zvol/${name.replaceAll(" ", "+")}`),
  );
  if (user) return kept(`it is a disk of VM ${user.name}`);
  if (zvol.volsize !== known.volsize) return kept("it has another size than the one that was made");
  if (known.node !== undefined && started.has(known.node)) return kept("its VM was started: it may hold data");
  if (zvol.own === undefined) return kept("TrueNAS does not say how much data it holds");
  if (zvol.own > EMPTY_BYTES) return kept(`it holds ${Math.round(zvol.own / 1_000_000)} MB`);
  return { verdict: "safe", why: "made for a VM that was never started" };
}

export interface Undoing {
  nas: Nas;
  ledger: Ledger;
  ui: Ui;
  signal: AbortSignal;
}

/**
 * Undoes the `confirmed` leftovers: deletes what is safe, removes the entries of what is gone. Returns what was undone and what stays, with the reason.
 * VMs first: only then are their disks free. A deletion is believed only when the thing is not found any more.
 */
export async function undoEntries(
  { nas, ledger, ui, signal }: Undoing,
  entries: readonly Entry[],
  confirmed: readonly Leftover[],
): Promise<Undone> {
  const ids = new Set(confirmed.map(({ entry }) => entry.id));
  const all: Undone = { undone: [], left: confirmed.filter(({ verdict }) => verdict === "kept") };
  for (const kind of ["vm", "zvol"]) {
    const facts = await readNasFacts(nas, entries);
    const now = leftoversOf(entries, facts, { vmsTried: kind === "zvol", chosen: ({ id }) => ids.has(id) });
    const theirs = confirmed.filter(({ entry, verdict }) => entry.kind === kind && verdict !== "kept");
    const { undone, left } = await undoConfirmed(theirs, now, { ledger, signal }, async (one) => {
      await (kind === "vm" ? deleteVm(nas, one, ui, signal) : deleteZvol(nas, one.entry.name, ui, signal));
      ui.say(`deleted ${describe(one.entry)}`);
    });
    all.undone.push(...undone);
    all.left.push(...left);
  }
  return all;
}

/** Undoes one entry of a running procedure, which needs no question. Throws a Failure with the reason if that is not safe. */
export async function undoEntry(undoing: Undoing, entry: Entry): Promise<void> {
  const others = undoing.ledger.entries().filter(({ id, owner }) => id !== entry.id && isOwner(owner, entry.owner));
  const entries = [...others, entry];
  const facts = await readNasFacts(undoing.nas, entries);
  const seen = leftoversOf(entries, facts, { vmsTried: entry.kind === "zvol", chosen: ({ id }) => id === entry.id });
  const { left } = await undoEntries(
    undoing,
    entries,
    seen.filter((one) => one.entry.id === entry.id),
  );
  if (left[0]) throw new Failure({ attempted: `delete ${describe(entry)}`, said: left[0].why });
}

/** "VM k8s_0", "zvol flashstor/VM/k8s_0-boot". */
export const describe = ({ kind, name }: Entry) => `${kind === "vm" ? "VM" : kind} ${name}`;

const GONE_SECONDS = 30;

async function deleteVm(nas: Nas, { entry: { name }, identity }: Leftover, ui: Ui, signal: AbortSignal): Promise<void> {
  const vm = await findVm(nas, name);
  if (vm && String(vm.id) !== identity) throw new Failure({ attempted: `delete VM ${name}`, said: "another VM has its name now" });
  if (vm) await unlessUnknown(() => nas.act("vm.delete", [vm.id, { zvols: false, force: false }], { what: name }));
  await until(async (): Promise<Probe<true>> => ((await findVm(nas, name)) ? { waiting: "TrueNAS still lists it" } : { ready: true }), {
    for: `VM ${name} to be deleted`,
    seconds: GONE_SECONDS,
    ui,
    signal,
  });
}

const BUSY = 16;

/** A zvol stays busy for a moment after its VM was deleted: 25.x refuses to delete it then, 26 reports success and does nothing. */
async function deleteZvol(nas: Nas, name: string, ui: Ui, signal: AbortSignal): Promise<void> {
  await until(
    async (): Promise<Probe<true>> => {
      if (!(await findDataset(nas, name))) return { ready: true };
      try {
        await unlessUnknown(() => nas.act("pool.dataset.delete", [name, { recursive: false, force: false }], { what: name }));
      } catch (error) {
        if (error instanceof NasRefused && error.errnos.includes(BUSY)) return { waiting: error.account.said ?? "busy" };
        throw error;
      }
      return (await findDataset(nas, name)) ? { waiting: "TrueNAS still lists it" } : { ready: true };
    },
    { for: `zvol ${name} to be deleted`, seconds: GONE_SECONDS, ui, signal },
  );
}

/** Whether it took place is asked next anyway. */
async function unlessUnknown(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) throw error;
  }
}
