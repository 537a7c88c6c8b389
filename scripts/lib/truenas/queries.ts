// Reads from the NAS, in the same shape for all TrueNAS versions.
import { expectShape, type Pattern } from "../run/tool-output.ts";
import type { Owner } from "../ledger/entry.ts";
import type { Nas } from "./nas.ts";

/** The used fields of a row of `vm.query`. */
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

/** A reply without the fields that are read is an error that names the method, never an empty list. */
const query = async <T>(nas: Asks, method: string, params: readonly unknown[], pattern: Pattern): Promise<T> =>
  expectShape<T>(await nas.ask<unknown>(method, params), { command: `${method} on TrueNAS` }, pattern);

const VM: Pattern = { id: 0, name: "", devices: [{ attributes: { dtype: "" } }], status: { state: "" } };

/** All VMs. A new VM must not reuse their names, disks or MACs. */
export const readVms = (nas: Asks) => query<Vm[]>(nas, "vm.query", [[], {}], [VM]);

/** The VM of that name, or undefined. */
export const findVm = async (nas: Asks, name: string): Promise<Vm | undefined> =>
  (await query<Vm[]>(nas, "vm.query", [[["name", "=", name]], {}], [VM]))[0];

/** `RUNNING`, `STOPPED`, `SUSPENDED`, or `ERROR` when TrueNAS cannot tell. */
export const stateOf = async (nas: Asks, id: number): Promise<string> =>
  (await query<{ state: string }>(nas, "vm.status", [id], { state: "" })).state;

export interface Dataset {
  type: string;
  /** Bytes; a zvol's. */
  volsize?: number;
  /** Bytes available to children. */
  available?: number;
  /** Bytes of its own data without snapshots (`usedbydataset`); absent when unknown. `referenced` is no substitute: 25.04 does not return it. */
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

/** How ledger entries identify this NAS: the guid of a pool never changes. */
export const ownerOf = ({ name, guid }: Pool): Required<Pick<Owner, "nas">> => ({ nas: `pool ${name} ${guid}` });

/** Bridges that a NIC can use. TrueNAS 26 groups them; older versions return bridges and interfaces in one map, and names of bridges start with `br`. */
export async function readBridges(nas: Asks): Promise<string[]> {
  const choices = await query<{ BRIDGE?: string[] } | Record<string, string>>(nas, "vm.device.nic_attach_choices", [], {});
  return Array.isArray(choices.BRIDGE) ? choices.BRIDGE : Object.keys(choices).filter((name) => name.startsWith("br"));
}
