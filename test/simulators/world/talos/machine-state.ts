// The state of a machine: what its disks hold, and how far it is in its life.

/** What an ISO or an installed disk boots: a Talos version, built from a schematic for a platform. */
export interface Medium {
  talos: string;
  schematic: string;
  platform: string;
}

/** What is on a boot disk, and which zvol that is. */
export type System = Medium & { disk: string };

export interface Disk {
  /** `/dev/vda`. */
  device: string;
  /** The zvol it is, and an id that changes when the zvol is made anew. */
  path: string;
  id: string;
  bytes: number;
}

/** off → booting → maintenance → installing → rebooting → running. `away`: does not come back from its reboot. `dead`: nothing to boot from. */
export type Stage = "off" | "booting" | "maintenance" | "installing" | "rebooting" | "running" | "away" | "dead";

export interface MachineState {
  mac: string;
  vm: string;
  /** The address that DHCP gives it. */
  lease: string;
  disks: Disk[];
  iso?: Medium;
  /** What is on the boot disk, and which zvol that is. */
  installed?: System;
  stage: Stage;
  /** When the stage ends by itself. */
  due?: number;
  bootId: string;
  config?: { active: string; persistent: string };
  /** When a config that is only tried gives way to the one that is kept. */
  revertAt?: number;
  etcd?: EtcdMember;
  /** What the next boot takes instead, and what booted before it. */
  next?: System;
  previous?: System;
  /** What an API call set off; the machine goes down when it is `due`. */
  leaving?: Leaving;
  /** From then on a node that was sent through a reboot calls itself ready. */
  readyFrom?: number;
  /** Until when its kubelet starts anew, for its image is another. */
  kubeletFrom?: number;
  /** Until when its clock is not in sync. */
  syncedFrom?: number;
  /** The last thing it had to complain about, as its console shows it. */
  complaint?: string;
}

/** A sequence of Talos that ends with the machine going down. */
export interface Leaving {
  /** By this id a client knows its own request among the events. */
  actor: string;
  sequence: "reboot" | "shutdown" | "reset";
  /** Partitions that it wipes; `ALL` for the whole system disk. */
  wipes?: string[];
  /** It powers the machine off. */
  halts?: boolean;
}

export interface EtcdMember {
  /** Member id, 16 hex digits; the cluster's id tells apart two that were bootstrapped. */
  id: string;
  cluster: string;
  /** What the node was called when it joined; the members know it by this name, also while it is down. */
  name?: string;
  /** From then on it serves. */
  readyAt: number;
  learnerUntil: number;
  /** The term in which it was made leader; whoever has the highest leads. */
  term?: number;
  /** It is no member any more: its data lies about (`removed`) or is gone, and it joins again with the next boot (`left`). */
  out?: "removed" | "left";
}
