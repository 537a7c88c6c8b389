// The simulated NAS: what is on it. Its verbs are in nas-*.ts, each a decision first (refusal, answer, or change) so that a call that is refused changes nothing; how TrueNAS is spoken to is not known here.
import { createHash, randomBytes } from "node:crypto";
import type { Fault } from "../faults.ts";
import type { Refusal } from "./refusals.ts";

export interface NasState {
  /** Of its API: `25.04.2`, `25.10.5`, `26.0.0`. */
  version: string;
  hostname: string;
  /** Bytes of RAM. */
  memory: number;
  pools: Pool[];
  /** The pools' root datasets are among them. */
  datasets: Dataset[];
  /** Folders that are no datasets, by path. */
  folders: string[];
  files: Record<string, NasFile>;
  interfaces: Interface[];
  vms: Vm[];
  accounts: Account[];
  /** What the person wrote down when they made their key: TrueNAS shows it once and keeps its hash. */
  card: { username: string; key: string };
  /** The next number of a VM or device. */
  nextId: number;
}

export interface Pool {
  id: number;
  name: string;
  guid: string;
  /** Usable bytes. */
  size: number;
}

export interface Dataset {
  name: string;
  type: "FILESYSTEM" | "VOLUME";
  /** Another one when it is made anew. */
  guid: string;
  created: number;
  volsize?: number;
  volblocksize?: number;
  sparse?: boolean;
  /** A zvol stays open for a moment after its VM has stopped. */
  busyUntil?: number;
}

/** Of uploaded bytes only this is kept. `head`: the first 512 as text. `mtime` in milliseconds. */
export interface NasFile {
  size: number;
  sha256: string;
  head: string;
  mode: number;
  mtime: number;
}

export interface Interface {
  name: string;
  type: "BRIDGE" | "PHYSICAL";
  mac: string;
  address?: string;
  members: string[];
}

export interface Account {
  username: string;
  uid: number;
  /** SHA-256 of its key. */
  key: string;
  roles: string[];
  expired?: boolean;
}

export interface VmConfig {
  name: string;
  description: string;
  vcpus: number;
  cores: number;
  threads: number;
  /** MiB. */
  memory: number;
  min_memory: number | null;
  autostart: boolean;
  shutdown_timeout: number;
  uuid: string | null;
  [setting: string]: unknown;
}

export type VmStateName = "RUNNING" | "STOPPED" | "SUSPENDED";

export type Vm = VmConfig & {
  id: number;
  devices: Device[];
  state: VmStateName;
  /** As libvirt calls it; null for a domain that it does not know yet. */
  domain_state: string | null;
  pid: number | null;
  /** MAC of a NIC that has none of its own, made anew at each start. */
  mac?: string;
  /** When the guest will have shut down as it was told to. */
  stopsAt?: number;
};

export interface Device {
  id: number;
  /** null: by kind. */
  order: number | null;
  attributes: Attributes;
}

export interface Attributes {
  dtype: string;
  type?: string;
  path?: string | null;
  mac?: string | null;
  nic_attach?: string | null;
  [attribute: string]: unknown;
}

/** What a verb needs to know besides the NAS itself. */
export interface Around {
  now(): number;
  has(fault: Fault): boolean;
  /** Bytes that a machine has written onto a zvol, by its guid. */
  written(guid: string): number;
}

/** What comes of a call: it is refused, it is answered without a change, or `apply` makes the change and gives the answer. `what` names the thing, for the log. */
export type Decision<T> = { error: Refusal } | { answer: T } | { what: string; apply(nas: NasState): T };

/** 25.04, 25.10 or 26: where they differ, the server's own version counts, not the API's that is spoken. */
export const era = ({ version }: Pick<NasState, "version">): 2504 | 2510 | 26 =>
  version.startsWith("25.04") ? 2504 : version.startsWith("25.") ? 2510 : 26;

export const hashKey = (key: string) => createHash("sha256").update(key).digest("hex");
export const guid = () => BigInt(`0x${randomBytes(8).toString("hex")}`).toString();

const TB = 1000 ** 4;
const GiB = 1024 ** 3;
const letters = (bytes: Buffer) =>
  [...bytes].map((byte) => "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"[byte % 59]).join("");

/** The NAS of the reference home with nothing of the cluster on it yet. `key` is the API key that the person made; by default a new one, recognisable as a secret. */
export function freshNas({ version = "25.10.5", key = `1-taint-nas-${letters(randomBytes(52))}`, now = Date.now() } = {}): NasState {
  const dataset = (name: string): Dataset => ({ name, type: "FILESYSTEM", guid: guid(), created: now });
  return {
    version,
    hostname: "truenas",
    memory: 256 * GiB,
    pools: [{ id: 1, name: "flashstor", guid: guid(), size: 20 * TB }],
    datasets: ["flashstor", "flashstor/VM", "flashstor/ISO"].map(dataset),
    folders: [],
    files: {},
    interfaces: [
      { name: "br0", type: "BRIDGE", mac: "3c:ec:ef:10:20:30", address: "192.168.120.10", members: ["ens802f0"] },
      { name: "ens802f0", type: "PHYSICAL", mac: "3c:ec:ef:10:20:30", members: [] },
      { name: "ens802f1", type: "PHYSICAL", mac: "3c:ec:ef:10:20:31", members: [] },
    ],
    vms: [],
    accounts: [{ username: "talos", uid: 3000, key: hashKey(key), roles: ["FULL_ADMIN"] }],
    card: { username: "talos", key },
    nextId: 1,
  };
}
