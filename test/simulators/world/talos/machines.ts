// The machines of the home: what each holds on its disk, how far it is in its life, and what follows from that for the cluster. Only data and questions; life.ts moves it on.
import { readMachineConfig, type MachineConfig } from "./machine-config.ts";
import type { State, World } from "../world.ts";
import type { Stage, MachineState } from "./machine-state.ts";

/** How long things take, in milliseconds: fast enough for a rehearsal, slow enough to be seen as unfinished. */
export const PACE = {
  boot: 100,
  slowBoot: 3_000,
  install: 80,
  reboot: 100,
  /** Services stop for so long before a machine that was told to goes down. */
  stop: 500,
  kubelet: 300,
  /** From its boot to being ready: talosctl looks at events once a second, and misses a node that is quicker. */
  ready: 1_500,
  etcd: 80,
  join: 60,
  learner: 1_500,
  apiServer: 100,
  clock: 900,
  /** How long the API server stays away when it leaves in the middle of something. */
  away: 1_500,
};

const RUNS_API: Stage[] = ["maintenance", "installing", "running"];

/** Whether something answers on port 50000 there. */
export const answers = ({ stage }: MachineState) => RUNS_API.includes(stage);

/** The config that a node runs; undefined before it has one. */
export function configOf(machine: MachineState): MachineConfig | undefined {
  if (!machine.config) return undefined;
  const read = readMachineConfig(machine.config.active, 14);
  if ("error" in read) throw new Error(`a node holds a config that it cannot read: ${read.error}`);
  return read.config;
}

export const hostnameOf = (machine: MachineState) => configOf(machine)?.hostname ?? `talos-${machine.mac.replaceAll(":", "").slice(-6)}`;

/** Where the machine is reached: what its config says once it runs it, else its lease. */
export function addressesOf(machine: MachineState): string[] {
  const own = machine.stage === "running" ? configOf(machine)?.addresses : undefined;
  return own?.length ? own : [machine.lease];
}

/** Every machine whose config is in force. */
export const runningNodes = (state: Readonly<State>) =>
  Object.values(state.machines).filter(({ stage, config }) => stage === "running" && config);

/** The machine that has this address now; the shared address is at a control plane whose etcd serves. */
export function machineAt(world: World, address: string): MachineState | undefined {
  const on = Object.values(world.state.machines).filter(({ stage }) => stage !== "off");
  return (
    on.find((machine) => addressesOf(machine).includes(address)) ?? etcdMembers(world).find((machine) => configOf(machine)?.vip === address)
  );
}

/** Control planes whose etcd serves, in the order in which they joined. */
export const etcdMembers = (world: World) =>
  runningNodes(world.state)
    .filter(({ etcd }) => etcd && !etcd.out && etcd.readyAt <= world.now())
    .sort((a, b) => a.etcd!.readyAt - b.etcd!.readyAt);

export const isLearner = (world: World, { etcd }: MachineState) => etcd !== undefined && world.now() < etcd.learnerUntil;

/** A kubelet that runs, as the cluster's controllers see it. */
export interface Kubelet {
  name: string;
  address: string;
  kubelet: string;
  talos: string;
  labels: Record<string, string>;
  taints: Record<string, string>;
  controlPlane: boolean;
}

export const kubelets = (world: World): Kubelet[] =>
  runningNodes(world.state).map((machine) => {
    const config = configOf(machine)!;
    return {
      name: hostnameOf(machine),
      address: addressesOf(machine)[0]!,
      kubelet: config.kubernetes ?? "v1.36.5",
      talos: machine.installed!.talos,
      labels: config.labels,
      taints: config.taints,
      controlPlane: config.type === "controlplane",
    };
  });

export interface KubernetesCluster {
  id: string;
  name: string;
  endpoint: string;
  /** PEM of the CA that signs the API server's and its clients' certificates. */
  ca: string;
  podSubnets: string[];
  serviceSubnets: string[];
  bootstrapped: boolean;
}

/** The cluster that the machines form, from the config of the first control plane; undefined before there is one. */
export function clusterOf(state: Readonly<State>): KubernetesCluster | undefined {
  const nodes = runningNodes(state);
  const config = nodes.map((machine) => configOf(machine)!).find(({ type }) => type === "controlplane");
  if (!config) return undefined;
  const { id, name, endpoint, ca, podSubnets, serviceSubnets } = config.cluster;
  return { id, name, endpoint, ca: ca.crt, podSubnets, serviceSubnets, bootstrapped: nodes.some(({ etcd }) => etcd) };
}

/** An API server follows its etcd member after a moment. */
export const apiServerUp = (world: World) => etcdMembers(world).some(({ etcd }) => etcd!.readyAt + PACE.apiServer <= world.now());

/** When the last thing that is under way will have come to pass; 0 when nothing is. */
export function pendingUntil({ machines }: Readonly<State>): number {
  const times = Object.values(machines).flatMap(({ due = 0, etcd, syncedFrom = 0, readyFrom = 0 }) => [
    due,
    syncedFrom,
    readyFrom,
    etcd ? Math.max(etcd.readyAt + PACE.apiServer, etcd.learnerUntil) : 0,
  ]);
  return Math.max(0, ...times);
}

/** The first moment after now at which a machine is another without being touched; Infinity when there is none. */
export function nextDue({ machines }: Readonly<State>, now: number): number {
  const times = Object.values(machines).flatMap(({ due, revertAt, syncedFrom, readyFrom, kubeletFrom, etcd }) => [
    due,
    revertAt,
    syncedFrom,
    readyFrom,
    kubeletFrom,
    ...(etcd ? [etcd.readyAt, etcd.readyAt + PACE.apiServer, etcd.learnerUntil] : []),
  ]);
  return Math.min(...times.flatMap((time) => (time !== undefined && time > now ? [time] : [])));
}
