// Questions to the NAS, and its answers in one shape for all versions.
import { expectShape, type Pattern } from "../run/tool-output.ts";
import type { Nas } from "./nas.ts";

/** A row of `vm.query`, as much as is used of it. */
export interface Vm {
  id: number;
  name: string;
  /** MiB. */
  memory: number;
  vcpus: number;
  cores: number;
  threads: number;
  cpu_mode?: string;
  bootloader?: string;
  autostart?: boolean;
  time?: string;
  suspend_on_snapshot?: boolean;
  devices: Device[];
  status: { state: string };
}

export interface Device {
  id?: number;
  /** Boot order among disks and CDs. */
  order: number;
  attributes: { dtype: string; type?: string; path?: string | null; mac?: string | null; nic_attach?: string | null };
}

type Asks = Pick<Nas, "ask">;

/** An answer that lacks what is read of it is an error that names the method, never an empty table. */
const query = async <T>(nas: Asks, method: string, params: readonly unknown[], pattern: Pattern): Promise<T> =>
  expectShape<T>(await nas.ask<unknown>(method, params), { command: `${method} on TrueNAS` }, pattern);

const VM: Pattern = { id: 0, name: "", devices: [{ attributes: { dtype: "" } }], status: { state: "" } };

/** All VMs: their names, disks and MACs are what a new one must not collide with. */
export const readVms = (nas: Asks) => query<Vm[]>(nas, "vm.query", [[], {}], [VM]);

/** The VM of that name, or undefined. */
export const findVm = async (nas: Asks, name: string): Promise<Vm | undefined> =>
  (await query<Vm[]>(nas, "vm.query", [[["name", "=", name]], {}], [VM]))[0];

/** `RUNNING`, `STOPPED`, `SUSPENDED`, or `ERROR` when the NAS does not know. */
export const stateOf = async (nas: Asks, id: number): Promise<string> =>
  (await query<{ state: string }>(nas, "vm.status", [id], { state: "" })).state;

export interface Dataset {
  type: string;
  /** Bytes; a zvol's. */
  volsize?: number;
  /** Bytes that a child may still take. */
  available?: number;
  /** Bytes of data that are its own, without snapshots; absent when the NAS does not say. `referenced` is no substitute: 25.04 does not return it. */
  own?: number;
}

interface DatasetRow {
  id: string;
  type: string;
  volsize?: { parsed: number } | null;
  available?: { parsed: number } | null;
  usedbydataset?: { parsed: number } | null;
}

/** Those of the named datasets and zvols that exist. */
export async function readDatasets(nas: Asks, names: readonly string[]): Promise<Map<string, Dataset>> {
  const filters = [["id", "in", names]];
  const options = { extra: { retrieve_children: false, properties: ["volsize", "available", "usedbydataset"] } };
  const rows = await query<DatasetRow[]>(nas, "pool.dataset.query", [filters, options], [{ id: "", type: "" }]);
  return new Map(
    rows.map(({ id, type, volsize, available, usedbydataset }) => [
      id,
      {
        type,
        ...(volsize && { volsize: volsize.parsed }),
        ...(available && { available: available.parsed }),
        ...(typeof usedbydataset?.parsed === "number" && { own: usedbydataset.parsed }),
      },
    ]),
  );
}

/** The dataset or zvol of that name, or undefined. */
export const findDataset = async (nas: Asks, name: string): Promise<Dataset | undefined> => (await readDatasets(nas, [name])).get(name);

export interface Pool {
  name: string;
  guid: string;
  status: string;
  healthy: boolean;
}

/** The pool, or undefined when the NAS has none of that name. */
export const findPool = async (nas: Asks, name: string): Promise<Pool | undefined> =>
  (await query<Pool[]>(nas, "pool.query", [[["name", "=", name]], {}], [{ name: "", guid: "", status: "" }]))[0];

/** What the ledger's entries about this NAS carry: a pool's guid is given once, when it is made. */
export const homeOf = ({ name, guid }: Pool) => `pool ${name} ${guid}`;

/** Bridges a NIC may be on. 26 and later group them; before, bridges and plain interfaces are in one map, and only a name that starts with `br` is bridged. */
export async function readBridges(nas: Asks): Promise<string[]> {
  const choices = await query<{ BRIDGE?: string[] } | Record<string, string>>(nas, "vm.device.nic_attach_choices", [], {});
  return Array.isArray(choices.BRIDGE) ? choices.BRIDGE : Object.keys(choices).filter((name) => name.startsWith("br"));
}
