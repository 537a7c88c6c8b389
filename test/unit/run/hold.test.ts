// Reversible changes: recorded first, undone when the scope ends, whatever ends it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EntryOf } from "../../../scripts/lib/ledger/entry.ts";
import { type Ledger, openLedger } from "../../../scripts/lib/ledger/ledger.ts";
import { openGate } from "../../../scripts/lib/run/effects.ts";
import { Failure, isOnlyAbort, Stop } from "../../../scripts/lib/run/errors.ts";
import { type Hold, hold, resume, withHolds } from "../../../scripts/lib/run/hold.ts";
import type { Releasable } from "../../../scripts/lib/run/releasable.ts";
import { silentReport } from "../../../scripts/lib/run/report.ts";
import { openShell } from "../../../scripts/lib/run/shell.ts";

let folder: string;
let ledger: Ledger;
let stop: AbortController;
let log: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hold-"));
  ledger = openLedger(folder);
  stop = new AbortController();
  log = [];
  openGate(silentReport, false, stop.signal);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Scope {
  holds: Releasable[];
  ledger: Ledger;
  signal: AbortSignal;
}
const scoped = (act: (scope: Scope) => Promise<unknown>) =>
  withHolds<Scope, unknown>({ holds: [], ledger, signal: stop.signal }, act).catch((error: unknown) => error);

const suspension = (name: string) =>
  ({ kind: "suspended Kustomization", name, owner: { cluster: "home" }, procedure: "flux:delete", facts: {} }) as const;
const take = (scope: Scope, name: string, undo = async () => void log.push(`undo ${name}`)): Promise<Hold<"suspended Kustomization">> =>
  hold(scope, suspension(name), async () => void log.push(`apply ${name} with ${ledger.entries().length} in the ledger`), undo);
const names = () => ledger.entries().map(({ name, onPurpose }) => (onPurpose ? `${name} on purpose` : name));

test("a change is recorded before it is made, and undone at the end, the last one first", async () => {
  await scoped(async (scope) => {
    await take(scope, "a/one");
    await take(scope, "a/two");
    log.push("work");
  });
  expect(log).toEqual(["apply a/one with 1 in the ledger", "apply a/two with 2 in the ledger", "work", "undo a/two", "undo a/one"]);
  expect(names()).toEqual([]);
});

test("what is settled, kept or left is not undone; the ledger has what a person must know of", async () => {
  await scoped(async (scope) => {
    await (await take(scope, "a/settled")).settle();
    await (await take(scope, "b/kept")).keep();
    (await take(scope, "c/left")).leave();
    await (await take(scope, "d/released")).release();
  });
  expect(log.filter((line) => line.startsWith("undo"))).toEqual(["undo d/released"]);
  expect(names()).toEqual(["b/kept on purpose", "c/left"]);
});

test("facts are added to the entry, and undo gets them", async () => {
  await scoped(async (scope) => {
    const vm = await hold<"vm">(
      scope,
      { kind: "vm", name: "k8s_0", owner: { nas: "pool a 1" }, procedure: "vm:deploy", facts: { node: "k8s-0" } },
      async () => {},
      async ({ facts }: EntryOf<"vm">) => void log.push(`undo VM ${facts.id} of ${facts.node}`),
    );
    await vm.learn({ id: 7 });
    expect(ledger.entries()[0]).toMatchObject({ facts: { node: "k8s-0", id: 7 } });
  });
  expect(log).toEqual(["undo VM 7 of k8s-0"]);
});

describe("after a failure", () => {
  test("everything is undone, and the failure is the same", async () => {
    const failure = new Failure({ attempted: "work" });
    const thrown = await scoped(async (scope) => {
      await take(scope, "a/one");
      throw failure;
    });
    expect([thrown, log.at(-1), names()]).toEqual([failure, "undo a/one", []]);
  });
  test("the scope's next command is added to a failure without one", async () => {
    const scope: Scope = { holds: [], ledger, signal: stop.signal };
    const failing = (next?: string) =>
      withHolds(scope, () => Promise.reject(new Failure({ attempted: "work", next })), { next: "task vm:deploy" });
    await expect(failing()).rejects.toThrow("could not work\n  next: task vm:deploy");
    await expect(failing("task other")).rejects.toThrow("could not work\n  next: task other");
  });
  test("a change that failed half-way is undone too", async () => {
    const thrown = await scoped((scope) =>
      hold(
        scope,
        suspension("a/one"),
        () => Promise.reject(new Error("half-way")),
        async () => void log.push("undo"),
      ),
    );
    expect([String(thrown), log, names()]).toEqual(["Error: half-way", ["undo"], []]);
  });
  test("what cannot be undone is named, stays in the ledger, and does not stop the others", async () => {
    const refuse = () => Promise.reject(new Failure({ attempted: "resume", said: "it is locked" }));
    const thrown = await scoped(async (scope) => {
      await take(scope, "a/one");
      await take(scope, "b/two", refuse);
      throw new Failure({ attempted: "work", said: "no" });
    });
    expect(String((thrown as Error).message)).toBe(
      "could not work\n  said: no\n        not undone: suspended Kustomization b/two (it is locked); task leftovers lists it\n  next: task leftovers",
    );
    expect([log.at(-1), names()]).toEqual(["undo a/one", ["b/two"]]);
  });
  test("an undo that fails after good work is a failure", async () => {
    const thrown = await scoped((scope) => take(scope, "b/two", () => Promise.reject(new Error("no"))));
    expect((thrown as Error).message).toBe(
      "could not undo what this run changed for a while\n  said: not undone: suspended Kustomization b/two (no); task leftovers lists it\n  next: task leftovers",
    );
  });
  test("a declined question ends as it does without holds", async () => {
    const declined = new Stop("nothing was changed");
    expect(await scoped(() => Promise.reject(declined))).toBe(declined);
  });
});

test("after Ctrl-C the undo still runs commands, and reports the abort", async () => {
  await openShell({ signal: stop.signal, env: { PATH: process.env.PATH }, cwd: "/" });
  const thrown = await scoped(async (scope) => {
    await take(scope, "a/one", async () => void log.push((await $`echo undone`.text()).trim()));
    stop.abort(new Error("interrupted by SIGINT"));
    await $`echo never`;
  });
  expect([isOnlyAbort(thrown, stop.signal), log.at(-1), names()]).toEqual([true, "undone", []]);
  await expect(Promise.resolve($`echo never`)).rejects.toThrow(); // only the undo had another signal
});

test("a change of an earlier run is continued, and only a person undoes it", async () => {
  const earlier = (await ledger.open(suspension("a/one"))) as EntryOf<"suspended Kustomization">;
  await scoped((scope) => resume(scope, earlier, async () => void log.push("continued")));
  expect([log, names()]).toEqual([["continued"], ["a/one"]]);
  await scoped(async (scope) => (await resume(scope, earlier, async () => {})).settle());
  expect(names()).toEqual([]);
});
