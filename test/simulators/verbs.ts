// The verbs of a home: its state, faults, evidence, and the person's work. Also the executable `<home>/bin/home`.
import { setTimeout as pause } from "node:timers/promises";
import { commandsOf, evidenceOf, findTaint } from "./evidence/evidence.ts";
import { columns } from "./cli/table.ts";
import { keepCopy } from "./home/copies.ts";
import { snapshotOf } from "./home/snapshot.ts";
import { FAULTS, type Fault } from "./world/faults.ts";
import { addressesOf, apiServerUp, hostnameOf, pendingUntil } from "./world/talos/machines.ts";
import { type Fetched, fetchByHand, type NasCard } from "./world/person.ts";
import type { Tool } from "./world/tool.ts";
import { secretsOf } from "./world/op/vault.ts";
import type { World } from "./world/world.ts";

/** What verbs need of the home around the world. */
export interface Around {
  project: string;
  vaults: readonly string[];
  nas(): NasCard;
  /** Command lines under way. */
  busy(): number;
  /** Whether a room of the world has something to do by itself. */
  pending(): boolean;
  /** Brings what stands on disk to a state that can be copied: nothing moves until it is to go on. */
  quiesce(): Promise<void>;
  resume(): Promise<void>;
  /** What other rooms add to a snapshot. */
  normalised(): Record<string, unknown>;
}

/** The verbs of one home, each from its arguments to JSON. Also counts the product's changes and kills at the one that was chosen. */
export function openVerbs(world: World, around: Around): (verb: string, args: any) => Promise<unknown> {
  let changes = 0;
  let kill: { pid: number; change: number; phase: "before" | "after" } | undefined;
  world.onProductChange = (phase) => {
    if (phase === "before") changes += 1;
    if (kill && kill.change === changes && kill.phase === phase) {
      process.kill(kill.pid, "SIGKILL");
      kill = undefined;
    }
  };
  const pending = () => around.busy() > 0 || around.pending() || pendingUntil(world.state) > world.now();
  const verbs: Record<string, (args: any) => unknown> = {
    status: () => statusOf(world, pending()),
    faults: ({ on = {}, off = [] }: { on?: Record<string, number>; off?: string[] }) => switchFaults(world, on, off),
    snapshot: () => snapshotOf(world, around.project, around.normalised()),
    settle: ({ seconds = 300 }: { seconds?: number }) => settle(pending, seconds),
    // what stands on disk can be copied only while nothing writes it
    keepCopy: async ({ name }: { name: string }) => {
      await around.quiesce();
      try {
        return keepCopy(world.folder, name);
      } finally {
        await around.resume();
      }
    },
    commands: ({ tool }: { tool?: string }) => commandsOf(world.folder).filter((seen) => tool === undefined || seen.tool === tool),
    count: () => {
      const all = commandsOf(world.folder);
      return { commands: all.length, op: all.filter(({ tool }) => tool === "op").length };
    },
    changes: () => changes,
    killAt: ({ pid, change, phase }: { pid: number; change: number; phase: "before" | "after" }) => {
      kill = { pid, change: changes + change, phase };
      return kill;
    },
    person: ({ fields = [] }: { fields?: Fetched[] }) => fetchByHand(world, around.vaults, around.nas(), fields),
    secrets: () => ({ values: secretsOf(world.state.vault) }),
    evidence: () => evidenceOf(world.folder),
    taint: () => findTaint(world.folder, secretsOf(world.state.vault)),
  };
  return async (verb, args) => {
    const known = verbs[verb];
    if (!known) throw new Error(`the home knows ${Object.keys(verbs).join(", ")}; not ${verb}`);
    return (await known(args)) ?? null;
  };
}

/** The verbs as an executable: `home status`, `home faults '{"on":{"node-slow":1}}'`. Without arguments a verb with a table prints that; OUTPUT=json prints JSON. */
export const homeTool =
  (ask: (verb: string, args: unknown) => Promise<unknown>): Tool =>
  async (_world, { argv: [verb = "status", args], env, out, err }) => {
    const toTable = args === undefined && env.OUTPUT !== "json" ? TABLES[verb] : undefined;
    try {
      const answer = await ask(verb, JSON.parse(args ?? "{}"));
      out(toTable ? toTable(answer) : `${JSON.stringify(answer, null, 2)}\n`);
      return 0;
    } catch (error) {
      err(`${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    }
  };

/** What a person reads of a verb's answer. */
const TABLES: Record<string, (answer: any) => string> = {
  person: (filled: Fetched[]) =>
    filled.length === 0
      ? "every field that only a person can fetch has a value\n"
      : `${columns([["ITEM", "FIELD"], ...filled.map(({ item, field }) => [item, field])])}${filled.length} fields were filled in the simulated vault\n`,
};

function statusOf(world: World, pending: boolean) {
  const { machines, faults, vault, factory } = world.state;
  return {
    pid: process.pid,
    now: new Date(world.now()).toISOString(),
    machines: Object.values(machines).map((machine) => ({
      vm: machine.vm,
      mac: machine.mac,
      address: addressesOf(machine)[0],
      hostname: hostnameOf(machine),
      stage: machine.stage,
      talos: (machine.installed ?? machine.iso)?.talos,
      schematic: (machine.installed ?? machine.iso)?.schematic,
      etcd: machine.etcd !== undefined,
      ...(machine.complaint !== undefined && { complaint: machine.complaint }),
    })),
    api: apiServerUp(world) ? "up" : "down",
    faults: Object.fromEntries(Object.entries(faults).filter(([, times]) => times > 0)),
    vault: { items: vault.items.map(({ title }) => title) },
    factory: { schematics: Object.keys(factory.schematics).length },
    pending,
  };
}

/** Turns faults on for a number of strikes, or off. Refuses an unknown name. */
export function switchFaults(world: World, on: Record<string, number>, off: string[] = []): Partial<Record<Fault, number>> {
  const unknown = [...Object.keys(on), ...off].find((name) => !(name in FAULTS));
  if (unknown) throw new Error(`no fault is called ${unknown}: ${Object.keys(FAULTS).join(" ")}`);
  world.change("world", "faults are switched", ({ faults }) => {
    for (const [name, times] of Object.entries(on)) faults[name as Fault] = times;
    for (const name of off) delete faults[name as Fault];
  });
  return world.state.faults;
}

async function settle(pending: () => boolean, seconds: number): Promise<{ settled: boolean }> {
  const until = performance.now() + seconds * 1000;
  // twice in a row: what one step finishes may be what the next one waits for
  for (let quiet = 0; quiet < 3; await pause(40)) {
    quiet = pending() ? 0 : quiet + 1;
    if (performance.now() > until) throw new Error(`the home is still at work after ${seconds} s`);
  }
  return { settled: true };
}
