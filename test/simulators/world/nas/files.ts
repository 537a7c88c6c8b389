// Files and folders under /mnt. Uploaded bytes are not kept, only what they were.
import type { Around, Decision, NasFile, NasState } from "./nas.ts";
import { available, usedBy } from "./datasets.ts";
import type { Row } from "./query.ts";
import { ERRNO, failed, raised, type Refusal } from "./refusals.ts";

const mountpoint = (name: string) => `/mnt/${name}`;
const clean = (path: string) => path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";
const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** The filesystem that a path is on: the dataset with the longest matching mountpoint; undefined outside every pool. */
export const mountOf = ({ datasets }: Readonly<NasState>, path: string) =>
  datasets
    .filter(({ name, type }) => type === "FILESYSTEM" && `${clean(path)}/`.startsWith(`${mountpoint(name)}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];

/** What is at a path; undefined when nothing is. */
export function kindOf(nas: Readonly<NasState>, path: string): "FILE" | "DIRECTORY" | undefined {
  if (nas.files[clean(path)]) return "FILE";
  const isFolder =
    clean(path) === "/mnt" || nas.folders.includes(clean(path)) || mountpoint(mountOf(nas, path)?.name ?? "") === clean(path);
  return isFolder ? "DIRECTORY" : undefined;
}

/** Attributes that stat and listdir share. */
function attributesOf(nas: Readonly<NasState>, path: string): Row {
  const file = nas.files[path];
  const size = file?.size ?? 3;
  return {
    realpath: path,
    type: file ? "FILE" : "DIRECTORY",
    size,
    allocation_size: Math.ceil(size / 512) * 512,
    mode: file ? 0o100_000 + file.mode : 0o40_755,
    mount_id: 100 + nas.datasets.findIndex(({ name }) => name === mountOf(nas, path)?.name),
    uid: 0,
    gid: 0,
    acl: false,
    is_mountpoint: mountpoint(mountOf(nas, path)?.name ?? "") === path,
    is_ctldir: false,
    attributes: [],
  };
}

/** `filesystem.stat`: times in seconds. */
export function stat(nas: Readonly<NasState>, given: string): { answer: Row } | { error: Refusal } {
  const path = clean(given);
  if (!kindOf(nas, path)) return { error: failed(`Path ${given} not found`, ERRNO.ENOENT) };
  const seconds = (nas.files[path]?.mtime ?? mountOf(nas, path)?.created ?? 0) / 1000;
  return {
    answer: {
      ...attributesOf(nas, path),
      atime: seconds,
      mtime: seconds,
      ctime: seconds,
      btime: seconds,
      dev: 50,
      inode: 34 + Object.keys(nas.files).indexOf(path),
      nlink: 1,
      user: "root",
      group: "root",
    },
  };
}

/** `filesystem.statfs`: the dataset that holds a path, and its space. */
export function statfs(nas: Readonly<NasState>, given: string, around: Around): { answer: Row } | { error: Refusal } {
  const dataset = kindOf(nas, given) && mountOf(nas, given);
  if (!dataset) return { error: failed("Path not found.", ERRNO.ENOENT) };
  const avail = available(nas, dataset.name, around);
  const total = avail + usedBy(nas, dataset, around);
  const blocks = (bytes: number) => Math.floor(bytes / 131_072);
  return {
    answer: {
      flags: ["RW", "NOATIME", "XATTR", "POSIXACL", "CASESENSITIVE"],
      fsid: `${dataset.guid.slice(0, 8)}:0`,
      fstype: "zfs",
      source: dataset.name,
      dest: mountpoint(dataset.name),
      blocksize: 131_072,
      total_blocks: blocks(total),
      free_blocks: blocks(avail),
      avail_blocks: blocks(avail),
      total_blocks_str: String(blocks(total)),
      free_blocks_str: String(blocks(avail)),
      avail_blocks_str: String(blocks(avail)),
      files: 1_000_000,
      free_files: 999_000,
      name_max: 255,
      total_bytes: total,
      free_bytes: avail,
      avail_bytes: avail,
      total_bytes_str: String(total),
      free_bytes_str: String(avail),
      avail_bytes_str: String(avail),
    },
  };
}

const entryOf = (nas: Readonly<NasState>, path: string): Row => ({
  name: nameOf(path),
  path,
  ...attributesOf(nas, path),
  xattrs: [],
  zfs_attrs: ["ARCHIVE"],
});

/** `filesystem.listdir`, before filters. */
export function listdir(nas: Readonly<NasState>, given: string): { answer: Row[] } | { error: Refusal } {
  const path = clean(given);
  const kind = kindOf(nas, path);
  if (!kind) return { error: failed(`Directory ${given} does not exist`, ERRNO.ENOENT) };
  if (kind === "FILE") return { error: failed(`Path ${given} is not a directory`, ERRNO.ENOTDIR) };
  const mounted = nas.datasets.filter(({ type }) => type === "FILESYSTEM").map(({ name }) => mountpoint(name));
  const inside = [...mounted, ...nas.folders, ...Object.keys(nas.files)].filter((each) => folderOf(each) === path);
  return { answer: inside.sort().map((each) => entryOf(nas, each)) };
}

/** `filesystem.mkdir`: a folder, not a dataset. */
export function mkdir(nas: Readonly<NasState>, given: string): Decision<Row> {
  const path = clean(given);
  if (!path.startsWith("/")) return { error: failed(`${given}: not an absolute path.`, ERRNO.EINVAL) };
  if (kindOf(nas, path)) return { error: failed(`${given}: path already exists.`, ERRNO.EEXIST) };
  if (!path.startsWith("/mnt/")) return { error: failed(`${given}: path not permitted`, ERRNO.EPERM) };
  if (kindOf(nas, folderOf(path)) !== "DIRECTORY")
    return { error: raised("FileNotFoundError", `[Errno 2] No such file or directory: '${given}'`) };
  return {
    what: path,
    apply(nas) {
      nas.folders.push(path);
      return entryOf(nas, path);
    },
  };
}

/** `filesystem.put`: makes parent folders, overwrites. Also how a half-sent file comes to be. */
export function putFile(nas: Readonly<NasState>, given: string, file: NasFile, around: Around): Decision<true> {
  const path = clean(given);
  const dataset = mountOf(nas, path);
  if (!dataset) return { error: raised("FileNotFoundError", `[Errno 2] No such file or directory: '${given}'`) };
  if (kindOf(nas, path) === "DIRECTORY") return { error: raised("IsADirectoryError", `[Errno 21] Is a directory: '${given}'`) };
  if (file.size > available(nas, dataset.name, around) + (nas.files[path]?.size ?? 0))
    return { error: raised("OSError", "[Errno 28] No space left on device") };
  return {
    what: path,
    apply(nas) {
      for (let folder = folderOf(path); !kindOf(nas, folder); folder = folderOf(folder)) nas.folders.push(folder);
      nas.files[path] = file;
      return true;
    },
  };
}
