// The state of the simulated home, on disk, and the one way to change it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterState } from "./cluster/state.ts";
import type { Fault } from "./faults.ts";
import type { NasState } from "./nas/nas.ts";
import { whenPresent } from "../present.ts";
import type { MachineState } from "./talos/machine-state.ts";
import type { VaultState } from "./op/vault-state.ts";
import type { FactoryState } from "./talos/factory-state.ts";

export interface State {
  nas: NasState;
  /** By MAC address: a VM that was ever started, and what is on its disks. */
  machines: Record<string, MachineState>;
  cluster: ClusterState;
  vault: VaultState;
  factory: FactoryState;
  faults: Partial<Record<Fault, number>>;
}

/** Who changes something: the product under test, by a command or a call, or the world by itself (a node that boots, a controller). */
export type By = "product" | "world";

export interface World {
  readonly folder: string;
  readonly state: Readonly<State>;
  /** Grows with each change. */
  readonly revision: number;
  /**
   * Changes the state. What the product changes is on disk before it returns; what the world does by itself follows in a moment, together with
   * what it does in the same one: fifty nodes that boot at once are one file. Changes by the product are counted and are where a run can be killed.
   */
  change<T>(by: By, what: string, apply: (state: State) => T): T;
  /** Is this fault switched on? Does not use it up. */
  has(fault: Fault): boolean;
  /** True if this fault strikes now; each strike uses up one of its count. */
  strikes(fault: Fault): boolean;
  /** Milliseconds since the epoch; the home's own clock. */
  now(): number;
  /** Called after each change. */
  onChange?: (() => void) | undefined;
  /** Called around each change by the product. */
  onProductChange?: ((phase: "before" | "after", what: string) => void) | undefined;
}

/** Opens the world of a home, as `fresh` makes it when there is none on disk yet. */
export function openWorld(folder: string, fresh: () => State, now = () => Date.now()): World {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "world.json");
  const state: State = read(file) ?? fresh();
  let soon: NodeJS.Immediate | undefined;
  let revision = 0;
  const save = () => {
    clearImmediate(soon);
    soon = undefined;
    writeFileSync(`${file}.draft`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${file}.draft`, file);
  };
  save();
  return {
    folder,
    state,
    get revision() {
      return revision;
    },
    now,
    change(by, what, apply) {
      if (by === "product") this.onProductChange?.("before", what);
      const result = apply(state);
      revision += 1;
      if (by === "product") save();
      else soon ??= setImmediate(() => whenPresent(save)); // a home that was removed has nothing to remember
      this.onChange?.();
      if (by === "product") this.onProductChange?.("after", what);
      return result;
    },
    has: (fault) => (state.faults[fault] ?? 0) > 0,
    strikes(fault) {
      if (!this.has(fault)) return false;
      this.change("world", `fault ${fault}`, (state) => void (state.faults[fault] = (state.faults[fault] ?? 1) - 1));
      return true;
    },
  };
}

function read(file: string): State | undefined {
  const text = whenPresent(() => readFileSync(file, "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as State);
}
