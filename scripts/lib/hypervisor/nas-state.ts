// The state of the NAS that creating VMs depends on, read concurrently.
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { deployableMinor } from "../cluster/versions.ts";
import { isoName, isoPath, type IsoState, readIsoState } from "../truenas/iso.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Node } from "../cluster/cluster.ts";
import { machineOf } from "../truenas/machine.ts";
import type { Nas } from "../truenas/nas.ts";
import { type Dataset, findPool, ownerOf, type Pool, readBridges, readDatasets, readVms, type Vm } from "../truenas/queries.ts";
import type { Roles } from "../truenas/login.ts";

export interface NasState {
  pool: Pool | undefined;
  /** The dataset for VMs and the zvols of the nodes, as far as they exist. */
  datasets: Map<string, Dataset>;
  vms: Vm[];
  bridges: string[];
  /** Bytes available to VMs; the error text when unknown. */
  memory: number | string;
  iso: IsoState;
  roles: Roles;
  /** Open ledger entries about this NAS, and those about another one. */
  owned: Entry[];
  foreign: Entry[];
}

/** Reads it. Throws the refusal of a read, except that of the memory, which may stay unknown. */
export async function readNasState(
  { cluster, ledger }: Pick<Context, "cluster" | "ledger">,
  nas: Nas,
  nodes: readonly Node[],
  iso: string,
): Promise<NasState> {
  const { truenas } = cluster;
  const machines = nodes.map((node) => machineOf(cluster, node, iso));
  const names = [truenas.vmDataset, ...machines.flatMap(({ boot, data }) => [boot.name, data.name])];
  const [pool, datasets, vms, bridges, memory, seen] = await Promise.all([
    findPool(nas, truenas.pool),
    readDatasets(nas, names),
    readVms(nas),
    readBridges(nas),
    nas.ask<number>("vm.get_available_memory", [false]).catch((error: unknown) => {
      if (error instanceof Failure) return error.account.said ?? error.message;
      throw error;
    }),
    readIsoState(nas, iso),
  ]);
  const entries = ledger.entries().filter((entry) => entry.kind === "vm" || entry.kind === "zvol");
  const own = pool && ownerOf(pool).nas;
  return {
    pool,
    datasets,
    vms,
    bridges,
    memory,
    iso: seen,
    roles: nas.roles,
    owned: entries.filter((entry) => entry.owner.nas === own),
    foreign: entries.filter((entry) => entry.owner.nas !== own),
  };
}

/** Name and path of the ISO for this version and schematic. Throws a Failure for a version that cannot be deployed. */
export function isoOf(
  { cluster, versions }: Pick<Context, "cluster" | "versions">,
  schematic: { id: string; secureboot: boolean },
): { name: string; path: string } {
  deployableMinor(versions);
  const name = isoName(versions.TALOS_VERSION, schematic, cluster.hypervisor);
  return { name, path: isoPath(cluster, name) };
}
