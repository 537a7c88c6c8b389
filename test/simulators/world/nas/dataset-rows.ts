// Pools and datasets as TrueNAS lists them.
import { type Around, type Dataset, era, type NasState, type Pool } from "./nas.ts";
import { available, findDataset, referencedBy, usedBy } from "./datasets.ts";
import type { Row } from "./query.ts";

interface Property {
  parsed: unknown;
  rawvalue: string;
  value: string | null;
  source: string;
  /** A property that people set, as a comment, has none. */
  source_info?: string | null;
}

/** `15.2T`, as ZFS writes sizes. */
export function zfsSize(bytes: number): string {
  const units = ["B", "K", "M", "G", "T", "P"];
  let at = 0;
  let size = bytes;
  for (; size >= 1024 && at < units.length - 1; at += 1) size /= 1024;
  const digits = at === 0 || size >= 100 || Number.isInteger(size) ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)}${units[at]}`;
}

const bytes = (parsed: number, source = "NONE"): Property => ({
  parsed,
  rawvalue: String(parsed),
  value: zfsSize(parsed),
  source,
  source_info: null,
});
const word = (raw: string, parsed: unknown = raw, source = "DEFAULT"): Property => ({
  parsed,
  rawvalue: raw,
  value: raw === "" ? "" : raw.toUpperCase(),
  source,
  source_info: source === "INHERITED" ? "flashstor" : null,
});
const none = (raw: string, parsed: unknown = null): Property => ({
  parsed,
  rawvalue: raw,
  value: null,
  source: "DEFAULT",
  source_info: null,
});

/** Native properties of one dataset, computed when they are asked for. */
function propertiesOf(nas: Readonly<NasState>, dataset: Dataset, around: Around): Record<string, () => Property> {
  const isVolume = dataset.type === "VOLUME";
  const thick = isVolume && !dataset.sparse;
  const referenced = () => referencedBy(nas, dataset, around);
  const used = () => usedBy(nas, dataset, around);
  const own = () => (thick ? dataset.volsize! : referenced());
  const seconds = Math.floor(dataset.created / 1000);
  return {
    available: () => bytes(available(nas, dataset.name, around) + (thick ? dataset.volsize! : 0)),
    used: () => bytes(used()),
    usedbychildren: () => bytes(used() - own()),
    usedbydataset: () => bytes(referenced()),
    usedbyrefreservation: () => bytes(own() - referenced()),
    usedbysnapshots: () => bytes(0),
    comments: () => ({ parsed: "", rawvalue: "", source: "INHERITED", value: "" }),
    compression: () => word("lz4", "lz4", "INHERITED"),
    compressratio: () => ({ parsed: "1.00", rawvalue: "1.00", value: "1.00x", source: "NONE", source_info: null }),
    checksum: () => word("on", true, "INHERITED"),
    copies: () => ({ parsed: 1, rawvalue: "1", value: "1", source: "INHERITED", source_info: dataset.name.split("/")[0]! }),
    creation: () => ({
      parsed: { $date: seconds * 1000 },
      rawvalue: String(seconds),
      value: new Date(seconds * 1000).toUTCString(),
      source: "NONE",
      source_info: null,
    }),
    deduplication: () => word("off", "off", "INHERITED"),
    sync: () => word("standard", "standard", "INHERITED"),
    readonly: () => word("off", false, "INHERITED"),
    reservation: () => none("0"),
    refreservation: () => (thick ? bytes(dataset.volsize!, "LOCAL") : none("0")),
    snapdev: () => word("hidden", "hidden", "INHERITED"),
    origin: () => word("", "", "NONE"),
    encryption_algorithm: () => none("off", "off"),
    key_format: () => none("none", "none"),
    pbkdf2iters: () => ({ parsed: "0", rawvalue: "0", value: "0", source: "DEFAULT", source_info: null }),
    ...(isVolume
      ? { volsize: () => bytes(dataset.volsize!, "LOCAL"), volblocksize: () => bytes(dataset.volblocksize!, "DEFAULT") }
      : {
          quota: () => none("0"),
          refquota: () => none("0"),
          recordsize: () => bytes(131_072, "DEFAULT"),
          atime: () => word("off", false),
          exec: () => word("on", true),
          acltype: () => word("posix"),
          aclmode: () => word("discard"),
          casesensitivity: () => word("sensitive", "sensitive", "NONE"),
          snapdir: () => word("hidden", null),
          special_small_block_size: () => none("0", 0),
          xattr: () => word("sa", true),
        }),
  };
}

export interface DatasetOptions {
  /** null or absent: all of them. */
  properties?: string[] | null;
  flat?: boolean;
  retrieve_children?: boolean;
}

/** One dataset as an entry. */
export function datasetRow(nas: Readonly<NasState>, dataset: Dataset, options: DatasetOptions, around: Around): Row {
  const { name, type } = dataset;
  const all = propertiesOf(nas, dataset, around);
  const wanted = options.properties ?? Object.keys(all); // `referenced` is none of them: the API of no version has it
  const children = nas.datasets.filter((each) => each.name.startsWith(`${name}/`) && !each.name.slice(name.length + 1).includes("/"));
  return {
    id: name,
    name,
    type,
    pool: name.split("/")[0],
    mountpoint: type === "VOLUME" ? null : `/mnt/${name}`,
    encrypted: false,
    encryption_root: null,
    key_loaded: false,
    locked: false,
    user_properties: {},
    children: options.retrieve_children === false ? [] : children.map((child) => datasetRow(nas, child, options, around)),
    ...Object.fromEntries(wanted.filter((key) => all[key]).map((key) => [key, all[key]!()])),
  };
}

/** All datasets; flat, or only the roots with the others inside them. */
export const datasetRows = (nas: Readonly<NasState>, options: DatasetOptions, around: Around): Row[] =>
  nas.datasets
    .filter(({ name }) => options.flat !== false || !name.includes("/"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((dataset) => datasetRow(nas, dataset, options, around));

/** A pool as an entry; its sizes are raw bytes, its root dataset knows what is usable. */
export function poolRow(nas: Readonly<NasState>, { id, name, guid, size }: Pool, around: Around): Row {
  const allocated = usedBy(nas, findDataset(nas, name)!, around);
  return {
    id,
    name,
    guid,
    path: `/mnt/${name}`,
    status: "ONLINE",
    healthy: true,
    warning: false,
    status_code: "OK",
    status_detail: null,
    is_upgraded: true,
    scan: null,
    expand: null,
    size,
    allocated,
    free: size - allocated,
    freeing: 0,
    fragmentation: "0",
    size_str: String(size),
    allocated_str: String(allocated),
    free_str: String(size - allocated),
    freeing_str: "0",
    autotrim: { parsed: "off", rawvalue: "off", source: "DEFAULT", value: "off" },
    topology: { data: [], log: [], cache: [], spare: [], special: [], dedup: [] },
    ...(era(nas) === 26 && { dedup_table_size: 0, dedup_table_quota: "0" }),
  };
}
