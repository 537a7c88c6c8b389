// Datasets and zvols: made by TrueNAS' rules, deleted by those of each version, of which the newest says yes when ZFS said no.
import { type Around, type Dataset, type Decision, era, guid, type NasState } from "./nas.ts";
import { ERRNO, failed, invalid, notFound } from "./refusals.ts";

export const findDataset = ({ datasets }: Readonly<NasState>, name: string) => datasets.find((dataset) => dataset.name === name);

/** The zvol behind a device path; a space in its name is a plus there. */
export const zvolAt = (nas: Readonly<NasState>, path: string) => {
  const dataset = path.startsWith("/dev/zvol/") ? findDataset(nas, path.slice("/dev/zvol/".length).replaceAll("+", " ")) : undefined;
  return dataset?.type === "VOLUME" ? dataset : undefined;
};
export const zvolPath = (name: string) => `/dev/zvol/${name.replaceAll(" ", "+")}`;

const parentOf = (name: string) => name.slice(0, name.lastIndexOf("/"));
const isBelow = (name: string, parent: string) => name.startsWith(`${parent}/`);

/** Bytes of data in a dataset itself, without those below it. */
export function referencedBy(nas: Readonly<NasState>, dataset: Dataset, { written }: Around): number {
  if (dataset.type === "VOLUME") return EMPTY + Math.min(written(dataset.guid), dataset.volsize!);
  const mountpoint = `/mnt/${dataset.name}`;
  const children = nas.datasets.filter(({ name, type }) => type === "FILESYSTEM" && isBelow(name, dataset.name));
  return Object.entries(nas.files)
    .filter(([path]) => isBelow(path, mountpoint) && !children.some(({ name }) => isBelow(path, `/mnt/${name}`)))
    .reduce((sum, [, { size }]) => sum + size, EMPTY);
}
const EMPTY = 57_344;

/** Bytes that a dataset takes from its pool: a thick zvol all of its size. */
export const usedBy = (nas: Readonly<NasState>, dataset: Dataset, around: Around): number =>
  [dataset, ...nas.datasets.filter(({ name }) => isBelow(name, dataset.name))].reduce(
    (sum, each) => sum + (each.type === "VOLUME" && !each.sparse ? each.volsize! : referencedBy(nas, each, around)),
    0,
  );

const FULL_POOL_LEFT = 8_000_000_000;

/** Bytes that may still be taken, the same everywhere in a pool: nothing here has a quota. The fault `nas-full-pool` leaves too little for a VM. */
export function available(nas: Readonly<NasState>, name: string, around: Around): number {
  const pool = nas.pools.find((pool) => pool.name === name.split("/")[0])!;
  const left = Math.max(0, pool.size - usedBy(nas, findDataset(nas, pool.name)!, around));
  return around.has("nas-full-pool") ? Math.min(left, FULL_POOL_LEFT) : left;
}

export interface DatasetSpec {
  name: string;
  type?: "FILESYSTEM" | "VOLUME";
  volsize?: number;
  volblocksize?: string;
  sparse?: boolean;
  force_size?: boolean;
  create_ancestors?: boolean;
}

const NAME = /^[\w.:-]+(?: [\w.:-]+)*$/;
const isName = (name: string) => Buffer.byteLength(name) <= 255 && name.split("/").every((part) => NAME.test(part) && part !== "..");
const SHARE = 0.8;

/** Makes a dataset or zvol. Answers with its name. */
export function createDataset(nas: Readonly<NasState>, spec: DatasetSpec, around: Around): Decision<string> {
  const faults = faultsOf(nas, spec, around);
  if (faults.length > 0)
    return { error: invalid(...faults.map(([field, text]): [string, string] => [`pool_dataset_create.${field}`, text])) };
  const { name, volsize, sparse = false } = spec;
  const refused = (why: string) => failed(`Failed to create dataset${era(nas) === 26 ? ` ${name}` : ""}: cannot create '${name}': ${why}`);
  if (findDataset(nas, name)) return { error: refused("dataset already exists") };
  if (volsize !== undefined && !sparse && volsize > available(nas, name, around)) return { error: refused("out of space") };
  const created = around.now();
  return {
    what: name,
    apply(nas) {
      for (const ancestor of missingAncestors(nas, name)) nas.datasets.push({ name: ancestor, type: "FILESYSTEM", guid: guid(), created });
      const made: Dataset = { name, type: volsize === undefined ? "FILESYSTEM" : "VOLUME", guid: guid(), created };
      nas.datasets.push(volsize === undefined ? made : { ...made, volsize, volblocksize: blocksize(spec), sparse });
      return name;
    },
  };
}

const missingAncestors = (nas: NasState, name: string) =>
  name
    .split("/")
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join("/"))
    .filter((ancestor) => !findDataset(nas, ancestor));

const blocksize = ({ volblocksize = "16K" }: DatasetSpec) => Number.parseInt(volblocksize, 10) * (volblocksize.endsWith("K") ? 1024 : 1);

function faultsOf(nas: Readonly<NasState>, spec: DatasetSpec, around: Around): [field: string, text: string][] {
  const { name, volsize, force_size = false, create_ancestors = false } = spec;
  if (!name.includes("/")) return [["name", "You need a full name, e.g. pool/newdataset"]];
  if (name.endsWith(" ")) return [["name", "Trailing spaces are not permitted in dataset names"]];
  if (!isName(name)) return [["name", "Invalid dataset name"]];
  const parent = parentOf(name);
  const pool = name.split("/")[0]!;
  if (!findDataset(nas, pool))
    return [
      [
        "name",
        create_ancestors
          ? "Please specify a pool which exists for the dataset/volume to be created"
          : `${parent === pool ? "zpool" : "Parent dataset"} (${parent}) does not exist.`,
      ],
    ];
  if (!create_ancestors && !findDataset(nas, parent)) return [["name", `Parent dataset (${parent}) does not exist.`]];
  if (findDataset(nas, parent)?.type === "VOLUME") return [["name", `${name}: parent may not be a ZFS volume`]];
  if (volsize === undefined)
    return nas.files[`/mnt/${name}`] || nas.folders.includes(`/mnt/${name}`) || findDataset(nas, name)?.type === "FILESYSTEM"
      ? [["name", `Path /mnt/${name} already exists`]]
      : [];
  const faults: [string, string][] = [];
  if (volsize > SHARE * available(nas, name, around) && !force_size)
    faults.push(["volsize", "It is not recommended to use more than 80% of your available space for VOLUME"]);
  if (volsize % blocksize(spec) !== 0) faults.push(["volsize", "Volume size should be a multiple of volume block size"]);
  return faults;
}

/** Whether something has the zvol open: a VM that runs, or that ran a moment ago. */
export const isBusy = (nas: Readonly<NasState>, { name, busyUntil = 0 }: Dataset, { now }: Around) =>
  busyUntil > now() || usersOf(nas, name).length > 0;

/** Active VMs with a device on the dataset or below it. */
export const usersOf = ({ vms }: Readonly<NasState>, name: string) => {
  const inside = (path: string) => [zvolPath(name), `/mnt/${name}`].some((place) => path === place || isBelow(path, place));
  return vms.filter(
    ({ state, devices }) => state !== "STOPPED" && devices.some(({ attributes: { path } }) => path != null && inside(path)),
  );
};

/** Deletes a dataset. 25.x says so when it is busy; 26 answers `true` and deletes nothing. */
export function deleteDataset(
  nas: Readonly<NasState>,
  name: string,
  { recursive = false }: { recursive?: boolean },
  around: Around,
): Decision<true> {
  const dataset = findDataset(nas, name);
  if (!dataset) return { error: notFound("PoolDataset", name) };
  const refused = (why: string, errno?: number) => ({ error: failed(`Failed to delete dataset: cannot destroy '${name}': ${why}`, errno) });
  if (!name.includes("/")) return refused("operation does not apply to pools");
  const all = [dataset, ...nas.datasets.filter((each) => isBelow(each.name, name))];
  if (all.length > 1 && !recursive) return refused("filesystem has children", ERRNO.ENOTEMPTY);
  if (all.some((each) => isBusy(nas, each, around))) return era(nas) === 26 ? { answer: true } : refused("dataset is busy", ERRNO.EBUSY);
  return {
    what: name,
    apply(nas) {
      const stays = (path: string) => path !== `/mnt/${name}` && !isBelow(path, `/mnt/${name}`);
      nas.datasets = nas.datasets.filter((each) => each.name !== name && !isBelow(each.name, name));
      nas.folders = nas.folders.filter(stays);
      nas.files = Object.fromEntries(Object.entries(nas.files).filter(([path]) => stays(path)));
      return true;
    },
  };
}
