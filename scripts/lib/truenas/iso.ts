// The Talos ISO on the NAS: its name says what it is, and a small file beside it says that it arrived whole.
import { type Cluster, PLATFORM } from "../cluster/cluster.ts";
import { isAbsent } from "./refusal.ts";
import type { Nas } from "./nas.ts";

/** The image that the factory builds for a hypervisor: `metal-amd64.iso`, or the one for secure boot. */
export const isoFile = (hypervisor: Cluster["hypervisor"], { secureboot }: { secureboot: boolean }) =>
  secureboot ? PLATFORM[hypervisor].iso.replace(/\.iso$/, "-secureboot.iso") : PLATFORM[hypervisor].iso;

/** `talos-v1.13.9-376567988ad3-metal-amd64.iso`: version, start of the schematic's ID, platform. Another of any of them is another file. */
export const isoName = (version: string, schematic: { id: string; secureboot: boolean }, hypervisor: Cluster["hypervisor"]) =>
  `talos-${version}-${schematic.id.slice(0, 12)}-${isoFile(hypervisor, schematic)}`;

/** Where the NAS keeps it. */
export const isoPath = (cluster: Pick<Cluster, "truenas">, name: string) => `/mnt/${cluster.truenas.isoDataset}/${name}`;

/** The file beside it, written only after the ISO's size was checked: `sha256sum -c` reads it. */
export const sidecarPath = (path: string) => `${path}.sha256`;
export const sidecarText = (sha256: string, name: string) => `${sha256}  ${name}\n`;

interface Stat {
  type: string;
  size: number;
  /** Seconds. */
  mtime?: number;
}

export interface IsoState {
  iso?: Stat | undefined;
  sidecar?: Stat | undefined;
  /** The dataset that holds the folder, and the bytes free in it; undefined when there is no such folder. */
  folder?: { source: string; avail_bytes: number } | undefined;
}

/** Looks at the ISO, at the file beside it and at their dataset. */
export async function readIsoState(nas: Pick<Nas, "ask">, path: string): Promise<IsoState> {
  const ifThere = async <T>(method: string, at: string): Promise<T | undefined> => {
    try {
      return await nas.ask<T>(method, [at]);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
  const folderPath = path.slice(0, path.lastIndexOf("/"));
  const [iso, sidecar, folder] = await Promise.all([
    ifThere<Stat>("filesystem.stat", path),
    ifThere<Stat>("filesystem.stat", sidecarPath(path)),
    ifThere<{ source: string; avail_bytes: number }>("filesystem.statfs", folderPath),
  ]);
  return { iso, sidecar, folder };
}

/** Why this is not the whole ISO; undefined when it is. `size` = what the image factory says, if it said. */
export function faultOfIso({ iso, sidecar }: IsoState, name: string, size?: number): string | undefined {
  if (!iso) return "it is not there";
  if (size !== undefined && iso.size !== size) return `it has ${iso.size} bytes, the image factory's has ${size}`;
  if (!sidecar || sidecar.size !== sidecarText("0".repeat(64), name).length) return "nothing says that it arrived whole";
  if (iso.mtime !== undefined && sidecar.mtime !== undefined && iso.mtime > sidecar.mtime) return "it was changed after it had arrived";
  return undefined;
}

/** Why the NAS would not take a CD from this folder; undefined when it would. From 25.10 it must be in a child dataset, not in the pool's root. */
export function faultOfFolder({ folder }: IsoState, isoDataset: string): string | undefined {
  if (!folder) return `there is no dataset ${isoDataset} on the NAS: create it there (Datasets → Add Dataset)`;
  if (!folder.source.includes("/"))
    return `/mnt/${isoDataset} is a folder in the root dataset of ${folder.source}: TrueNAS takes CDs only from a child dataset, so create ${isoDataset} as one`;
  return undefined;
}
