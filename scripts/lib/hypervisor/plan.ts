// Decides what happens to the VM of each node, and lists the problems.
import type { Cluster, Node } from "../cluster/cluster.ts";
import { canonicalMac } from "../cluster/readings.ts";
import { faultOfFolder, faultOfIso, isoStep } from "../truenas/iso.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Step } from "../run/plan.ts";
import { deviations, differences, type Machine, machineOf, missingDevices, type Zvol } from "../truenas/machine.ts";
import type { Vm } from "../truenas/queries.ts";
import type { NasState } from "./nas-state.ts";

export interface NodePlan {
  node: Node;
  machine: Machine;
  /** `create`: it does not exist; `finish`: an earlier run created part of it; `keep`: it is not ours. */
  action: "create" | "finish" | "keep";
  vm?: Vm;
  /** Open ledger entries, by the thing's name. */
  entries: Map<string, Entry>;
  /** Zvols that an earlier run created. */
  made: Set<string>;
  /** How a kept VM differs from cluster.yaml. */
  differs: string[];
}

export interface DeployPlan {
  nodes: NodePlan[];
  /** Reasons to change nothing. */
  problems: string[];
  warnings: string[];
  /** What is wrong with the ISO; undefined when it is complete or not needed. */
  isoFault?: string;
}

interface Wanted {
  cluster: Cluster;
  nodes: readonly Node[];
  iso: { name: string; path: string };
  /** Gates that were waived. */
  waive: readonly string[];
}

const MiB = 1024 ** 2;
const SHARE = 0.8; // TrueNAS refuses a zvol larger than this share of the free space, thin or not
const RIGHTS = ["VM_WRITE", "VM_DEVICE_WRITE", "DATASET_WRITE"];

/** Pure: the same state gives the same plan. */
export function planDeploy(wanted: Wanted, facts: NasState): DeployPlan {
  const { cluster, nodes, iso } = wanted;
  const plans = nodes.map((node) => planNode(cluster, node, iso.path, facts));
  const building = plans.filter(({ plan }) => plan.action !== "keep");
  const starting = building.filter(({ plan }) => plan.vm?.status.state !== "RUNNING");
  const isoFault = starting.length > 0 ? faultOfIso(facts.iso, iso.name) : undefined;
  const problems = [
    ...(building.length > 0 ? [...poolFaults(wanted, facts), ...rightFaults(facts)] : []),
    ...(starting.length > 0
      ? [faultOfFolder(facts.iso, cluster.truenas.isoDataset), bridgeFault(cluster, facts), memoryFault(starting.length, cluster, facts)]
      : []),
    ...spaceFaults(
      plans.flatMap(({ plan }) => (plan.action === "keep" ? [] : missingZvols(plan, facts))),
      cluster,
      facts,
    ),
    ...plans.flatMap((each) => each.problems),
  ].filter((line) => line !== undefined);
  return {
    nodes: plans.map(({ plan }) => plan),
    problems,
    warnings: warningsOf(starting.length, facts, cluster),
    ...(isoFault !== undefined && { isoFault }),
  };
}

function planNode(cluster: Cluster, node: Node, iso: string, facts: NasState): { plan: NodePlan; problems: string[] } {
  const machine = machineOf(cluster, node, iso);
  const vm = facts.vms.find(({ name }) => name === machine.name);
  const entries = new Map(
    facts.owned
      .filter(({ kind, name }) => (kind === "vm" ? name === machine.name : [machine.boot.name, machine.data.name].includes(name)))
      .map((entry) => [entry.name, entry]),
  );
  const plan: NodePlan = { node, machine, action: "create", entries, made: new Set(), differs: [], ...(vm && { vm }) };
  if (vm && !isOurs(vm, entries.get(machine.name)))
    return { plan: { ...plan, action: "keep", differs: deviations(vm, machine) }, problems: [] };
  if (vm) plan.action = "finish";
  const problems = vm
    ? differences(vm, machine).map((line) => `VM ${vm.name}, created by an unfinished run: ${line} (task leftovers UNDO=1 removes it)`)
    : [];
  for (const zvol of [machine.boot, machine.data]) {
    const there = facts.datasets.get(zvol.name);
    if (!there) continue;
    const attached = vm?.devices.some(({ attributes }) => attributes.path === `/dev/zvol/${zvol.name}`); // to our own VM: its entry may be closed already
    if (!entries.has(zvol.name) && !attached)
      problems.push(
        `zvol ${zvol.name} exists, but vm:deploy did not create it and no VM ${machine.name} has it: it may hold data; remove or rename it on the NAS`,
      );
    else if (there.volsize !== zvol.volsize)
      problems.push(
        `zvol ${zvol.name}, created by an unfinished run: it has ${there.volsize ?? "no"} bytes, wanted ${zvol.volsize} (task leftovers UNDO=1 removes it)`,
      );
    else plan.made.add(zvol.name);
    const other = facts.vms.find(
      ({ name, devices }) => name !== machine.name && devices.some(({ attributes }) => attributes.path === `/dev/zvol/${zvol.name}`),
    );
    if (other) problems.push(`zvol ${zvol.name} is a disk of VM ${other.name}`);
  }
  const sameMac = facts.vms.find(
    ({ name, devices }) =>
      name !== machine.name && devices.some(({ attributes }) => attributes.mac && canonicalMac(attributes.mac) === node.mac),
  );
  if (sameMac) problems.push(`${node.name}'s MAC ${node.mac} is a NIC of VM ${sameMac.name}`);
  return { plan, problems };
}

/** The ledger says that we created it. If its id was recorded, it must match: another VM may have the name now. */
const isOurs = ({ id }: Vm, entry: Entry | undefined) => entry?.kind === "vm" && (entry.facts.id === undefined || entry.facts.id === id);

const missingZvols = ({ machine }: NodePlan, { datasets }: NasState): Zvol[] =>
  [machine.boot, machine.data].filter(({ name }) => !datasets.has(name));

function poolFaults({ cluster: { truenas }, waive }: Wanted, { pool, datasets }: NasState): string[] {
  if (!pool) return [`there is no pool ${truenas.pool} on the NAS`];
  return [
    ...((pool.status === "ONLINE" && pool.healthy) || waive.includes("pool")
      ? []
      : [`pool ${pool.name} is ${pool.status}${pool.healthy ? "" : ", not healthy"}: fix it, or skip this check with WAIVE=pool`]),
    ...(datasets.has(truenas.vmDataset)
      ? []
      : [`there is no dataset ${truenas.vmDataset} on the NAS: create it there (Datasets → Add Dataset)`]),
  ];
}

const rightFaults = ({ roles }: NasState): string[] =>
  roles === undefined || roles.has("FULL_ADMIN")
    ? []
    : RIGHTS.filter((role) => !roles.has(role)).map((role) => `the NAS account lacks the role ${role}`);

const bridgeFault = ({ truenas: { bridge } }: Cluster, { bridges }: NasState) =>
  bridges.includes(bridge)
    ? undefined
    : `there is no bridge ${bridge} on the NAS${bridges.length > 0 ? `: it has ${bridges.join(", ")}` : ""}`;

function memoryFault(vms: number, { vm }: Cluster, { memory }: NasState): string | undefined {
  const needed = vms * vm.memory;
  if (typeof memory !== "number" || memory >= needed) return undefined;
  return `${vms} VMs need ${gib(needed)} of memory, the NAS has ${gib(memory)} left for VMs`;
}

function spaceFaults(zvols: Zvol[], { truenas: { vmDataset } }: Cluster, { datasets }: NasState): string[] {
  const free = datasets.get(vmDataset)?.available;
  if (free === undefined) return [];
  return zvols
    .filter(({ volsize }) => volsize > SHARE * free)
    .map(({ name, volsize }) => `zvol ${name} of ${gb(volsize)} is more than 80 % of the ${gb(free)} that ${vmDataset} has left`);
}

function warningsOf(starting: number, { memory, foreign, datasets }: NasState, { truenas, vm, nodes }: Cluster): string[] {
  const free = datasets.get(truenas.vmDataset)?.available;
  const promised = nodes.length * (vm.bootDisk + vm.dataDisk);
  return [
    ...(starting > 0 && typeof memory === "string" ? [`the memory available for VMs is unknown: ${memory}`] : []),
    ...(starting > 0 && free !== undefined && promised > free
      ? [`the disks are thin-provisioned: together they can grow to ${gb(promised)}, ${truenas.vmDataset} has ${gb(free)} left`]
      : []),
    ...(foreign.length > 0 ? [`${foreign.length} ledger entries are about another NAS (task leftovers)`] : []),
  ];
}

/** The steps of the plan: each zvol that is created, and each VM. */
export function stepsOf({ nodes, isoFault }: DeployPlan, { iso }: Pick<NasState, "iso">, path: string): Step[] {
  const vms = nodes
    .filter(({ action }) => action !== "keep")
    .flatMap(({ action, machine, made }): Step[] => [
      ...[machine.boot, machine.data].filter(({ name }) => !made.has(name)).map(({ name }) => ({ action: "create zvol", target: name })),
      { action: `${action} VM`, target: machine.name },
    ]);
  return isoFault === undefined ? vms : [isoStep(iso, path), ...vms];
}

/** The lines that the operator confirms. */
export function describePlan({ nodes }: DeployPlan, { bridge }: Cluster["truenas"], iso: string): string[] {
  return nodes.flatMap(({ node, machine, action, vm, made, differs }) => {
    if (action === "keep")
      return [`${node.name}: VM ${machine.name} exists and is not changed (${[vm!.status.state.toLowerCase(), ...differs].join("; ")})`];
    const disks = [machine.boot, machine.data].map(
      ({ name, volsize }) => `  ${made.has(name) ? "has" : "create"} zvol ${name}, ${gb(volsize)}, thin`,
    );
    if (action === "create") {
      return [
        `${node.name}: create VM ${machine.name} (TrueNAS VM names cannot contain dashes), ${machine.vm.vcpus} vCPU, ${machine.vm.memory / 1024} GiB`,
        ...disks,
        `  NIC ${node.mac} on ${bridge}, CD ${iso}; then start it`,
      ];
    }
    const missing = missingDevices(vm!, machine);
    return [
      `${node.name}: finish VM ${machine.name}, which an earlier run created (${vm!.status.state.toLowerCase()}${missing.length > 0 ? `, ${missing.length} devices missing` : ""}); then start it`,
      ...disks,
    ];
  });
}

const gb = (bytes: number) => `${Math.round(bytes / 1000 ** 3)} GB`;
const gib = (bytes: number) => `${Math.round((bytes / (1024 * MiB)) * 10) / 10} GiB`;
