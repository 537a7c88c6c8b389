// What a node shows of itself and of the cluster that it is in.
import { serves } from "./etcd.ts";
import { addressesOf, answers, configOf, hostnameOf, runningNodes } from "./machines.ts";
import { machineStatus, outOfSync, servicesOf } from "./status.ts";
import type { World } from "../world.ts";
import type { Kind, Resource } from "./resource-kind.ts";
import type { MachineState } from "./machine-state.ts";

const on = (machine: MachineState) => (machine.stage === "running" ? machine.installed : (machine.iso ?? machine.installed));

export const MACHINE: Kind[] = [
  {
    type: "Members.cluster.talos.dev",
    namespace: "cluster",
    name: "Member",
    aliases: ["member", "members"],
    columns: {
      HOSTNAME: "{.hostname}",
      "MACHINE TYPE": "{.machineType}",
      OS: "{.operatingSystem}",
      ADDRESSES: "{.addresses}",
    },
    list: (world, machine) => {
      const id = configOf(machine)?.cluster.id;
      const nodes = runningNodes(world.state).filter((one) => configOf(one)?.cluster.id === id);
      return nodes
        .map((one) => ({
          id: hostnameOf(one),
          spec: {
            nodeId: one.bootId.replaceAll("-", ""),
            addresses: addressesOf(one),
            hostname: hostnameOf(one),
            machineType: configOf(one)!.type,
            operatingSystem: `Talos (${one.installed!.talos})`,
            ...(configOf(one)!.type === "controlplane" && { controlPlane: { port: 6443 } }),
          },
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  },
  {
    type: "MachineStatuses.runtime.talos.dev",
    namespace: "runtime",
    name: "MachineStatus",
    aliases: ["machinestatus", "machinestatuses"],
    columns: { STAGE: "{.stage}", READY: "{.status.ready}" },
    list: (world, machine) => [{ id: "machine", spec: machineStatus(world, machine) }],
  },
  {
    type: "MachineConfigs.config.talos.dev",
    namespace: "config",
    name: "MachineConfig",
    aliases: ["machineconfig", "machineconfigs", "mc"],
    columns: {},
    // says that the spec is one string, not documents of its own
    annotations: { "talos.dev/yaml-spec": "1" },
    sensitive: true,
    list: (_world, { config }) =>
      config
        ? [
            { id: "persistent", spec: config.persistent },
            { id: "v1alpha1", spec: config.active },
          ]
        : [],
  },
  {
    type: "MachineTypes.config.talos.dev",
    namespace: "config",
    name: "MachineType",
    aliases: ["machinetype", "machinetypes"],
    columns: { TYPE: "{@}" },
    list: (_world, machine) => [{ id: "machine-type", spec: configOf(machine)?.type ?? "unknown" }],
  },
  {
    type: "ExtensionStatuses.runtime.talos.dev",
    namespace: "runtime",
    name: "ExtensionStatus",
    aliases: ["extension", "extensions", "extensionstatus", "extensionstatuses"],
    columns: { NAME: "{.metadata.name}", VERSION: "{.metadata.version}" },
    list: (world, machine) => extensions(world, machine),
  },
  {
    type: "Nodenames.kubernetes.talos.dev",
    namespace: "k8s",
    name: "Nodename",
    aliases: ["nodename", "nodenames"],
    columns: { NODENAME: "{.nodename}" },
    list: (_world, machine) =>
      machine.config
        ? [{ id: "nodename", spec: { nodename: hostnameOf(machine), hostnameVersion: "1", skipNodeRegistration: false } }]
        : [],
  },
  {
    type: "EtcdMembers.etcd.talos.dev",
    namespace: "etcd",
    name: "EtcdMember",
    aliases: ["etcdmember", "etcdmembers"],
    columns: { "MEMBER ID": "{.memberID}" },
    list: (world, machine) => (serves(world, machine) ? [{ id: "local", spec: { memberID: machine.etcd!.id } }] : []),
  },
  {
    type: "Services.v1alpha1.talos.dev",
    namespace: "runtime",
    name: "Service",
    aliases: ["service", "services", "svc"],
    columns: { RUNNING: "{.running}", HEALTHY: "{.healthy}", "HEALTH UNKNOWN": "{.unknown}" },
    list: (world, machine) =>
      servicesOf(world, machine)
        .filter(({ state }) => state === "Running") // a service has its resource while it runs
        .map(({ id, state, healthy }) => ({ id, spec: { running: state === "Running", healthy, unknown: false } })),
  },
  {
    type: "TimeStatuses.v1alpha1.talos.dev",
    namespace: "runtime",
    name: "TimeStatus",
    aliases: ["timestatus", "timestatuses"],
    columns: { SYNCED: "{.synced}" },
    list: (world, machine) => [
      { id: "node", spec: { synced: answers(machine) && !outOfSync(world, machine), epoch: 1, syncDisabled: false } },
    ],
  },
];

/** The schematic shows as an extension of its own, as the factory builds it in. */
function extensions(world: World, machine: MachineState): Resource[] {
  const medium = on(machine);
  if (!medium?.schematic) return [];
  const known = world.state.factory.schematics?.[medium.schematic];
  const entry = (name: string, version: string, more: object = {}) => ({
    id: name,
    spec: {
      image: `${name}.sqsh`,
      metadata: { name, version, author: "Sidero Labs", description: "", compatibility: { talos: { version: ">= v1.0.0" } }, ...more },
    },
  });
  return [
    ...(known?.extensions ?? []).map((name) => entry(name.split("/").at(-1)!, medium.talos)),
    entry("schematic", medium.schematic, { author: "Image Factory (https://factory.talos.dev)", extraInfo: known?.canonical ?? "" }),
  ].map((resource, index) => ({ ...resource, id: String(index) }));
}
