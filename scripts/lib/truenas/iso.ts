// The Talos ISO on the NAS: its name holds version, schematic and platform, and a checksum file beside it confirms a complete upload.
import { type Cluster, PLATFORM } from "../cluster/cluster.ts";
import type { Step } from "../run/plan.ts";
import { isAbsent } from "./refusal.ts";
import type { Nas } from "./nas.ts";

/** The image that the factory builds for a hypervisor: `metal-amd64.iso`, or the one for secure boot. */
export const isoFile = (hypervisor: Cluster["hypervisor"], { secureboot }: { secureboot: boolean }) =>
  secureboot ? PLATFORM[hypervisor].iso.replace(/\.iso$/, "-secureboot.iso") : PLATFORM[hypervisor].iso;

/** `talos-v1.13.9-376567988ad3-metal-amd64.iso`: version, start of the schematic ID, platform. A change of any of them makes another file. */
export const isoName = (version: string, schematic: { id: string; secureboot: boolean }, hypervisor: Cluster["hypervisor"]) =>
  `talos-${version}-${schematic.id.slice(0, 12)}-${isoFile(hypervisor, schematic)}`;

/** Its path on the NAS. */
export const isoPath = (cluster: Pick<Cluster, "truenas">, name: string) => `/mnt/${cluster.truenas.isoDataset}/${name}`;

/** The checksum file, written after the size of the ISO was verified; `sha256sum -c` reads it. */
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

/** Reads the state of the ISO, its checksum file and their dataset. */
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

/** What is wrong with the ISO; undefined when it is complete. `size` is the size that the image factory reports, if known. */
export function faultOfIso({ iso, sidecar }: IsoState, name: string, size?: number): string | undefined {
  if (!iso) return "the ISO is not on the NAS yet";
  if (size !== undefined && iso.size !== size) return `it has ${iso.size} bytes, the image factory's has ${size}`;
  if (!sidecar || sidecar.size !== sidecarText("0".repeat(64), name).length)
    return "its checksum file is missing, so the upload may be incomplete";
  if (iso.mtime !== undefined && sidecar.mtime !== undefined && iso.mtime > sidecar.mtime) return "it was changed after the upload";
  return undefined;
}

/** The step that puts the ISO on the NAS: overwriting a file is another action than uploading a new one. */
export const isoStep = ({ iso }: Pick<IsoState, "iso">, path: string): Step => ({ action: iso ? "replace" : "upload", target: path });

/** Why TrueNAS refuses a CD from this folder; undefined when it accepts it. From 25.10 the folder must be in a child dataset, not in the root dataset. */
export function faultOfFolder({ folder }: IsoState, isoDataset: string): string | undefined {
  if (!folder) return `there is no dataset ${isoDataset} on the NAS: create it there (Datasets → Add Dataset)`;
  if (!folder.source.includes("/"))
    return `/mnt/${isoDataset} is a folder in the root dataset of ${folder.source}: TrueNAS takes CDs only from a child dataset, so create ${isoDataset} as one`;
  return undefined;
}
