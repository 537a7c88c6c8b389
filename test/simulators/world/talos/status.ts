// How a Talos node is: its services, its stage, what it waits for.
import * as cluster from "../cluster/cluster.ts";
import { serves } from "./etcd.ts";
import { apiServerUp, configOf, hostnameOf } from "./machines.ts";
import type { State, World } from "../world.ts";
import type { MachineState } from "./machine-state.ts";

/** Whether Kubernetes calls the node Ready, once the cluster's controllers are there to ask. */
function nodeReady(state: Readonly<State>, name: string): boolean | undefined {
  const asked = (cluster as { nodeReady?: (state: Readonly<State>, name: string) => boolean | undefined }).nodeReady;
  return asked ? asked(state, name) : true;
}

/** Services of Talos on this machine and how each is. */
export function servicesOf(world: World, machine: MachineState): { id: string; state: string; healthy: boolean; event: string }[] {
  const up = (id: string) => ({ id, state: "Running", healthy: true, event: "Health check successful" });
  const base = ["apid", "containerd", "cri", "machined", "syslogd", "udevd"].map(up);
  const config = machine.stage === "running" ? configOf(machine) : undefined;
  if (!config) return base;
  const etcd = serves(world, machine) ? up("etcd") : { id: "etcd", state: "Preparing", healthy: false, event: "Running pre state" };
  const starts = { id: "kubelet", state: "Starting", healthy: false, event: "Starting service" };
  const kubelet = (machine.kubeletFrom ?? 0) > world.now() ? starts : up("kubelet");
  return [...base, ...(config.type === "controlplane" ? [etcd, up("trustd")] : []), kubelet].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const STAGES: Partial<Record<MachineState["stage"], string>> = { maintenance: "maintenance", installing: "installing" };

/** Stage and unmet conditions, as the MachineStatus resource has them. */
export function machineStatus(world: World, machine: MachineState) {
  const condition = (name: string, reason: string) => ({ name, reason });
  if (machine.stage !== "running") return { stage: STAGES[machine.stage] ?? machine.stage, status: { ready: true, unmetConditions: [] } };
  const name = hostnameOf(machine);
  const waits = configOf(machine)?.type === "controlplane" && !serves(world, machine);
  const starts = (machine.readyFrom ?? 0) > world.now();
  if (starts) return { stage: "booting", status: { ready: false, unmetConditions: [condition("services", "kubelet not running")] } };
  const unmet = [
    ...(outOfSync(world, machine) ? [condition("time", "time is not in sync yet")] : []),
    ...(waits ? [condition("services", "etcd not running")] : []),
    ...(!waits && !apiServerUp(world) ? [condition("nodeReady", `node ${JSON.stringify(name)} status is not available yet`)] : []),
    ...(!waits && apiServerUp(world) && !nodeReady(world.state, name)
      ? [condition("nodeReady", `node ${JSON.stringify(name)} is not ready`)]
      : []),
  ];
  return { stage: waits ? "booting" : "running", status: { ready: unmet.length === 0, unmetConditions: unmet } };
}

export const outOfSync = (world: World, { syncedFrom = 0 }: MachineState) => world.now() < syncedFrom;
