// The resources of a node that `talosctl get` shows, made up from what the machine is.
import { addressesOf, answers, configOf, etcdMembers, hostnameOf, type MachineState, runningNodes } from "./machines.ts";
import { machineStatus, outOfSync, servicesOf } from "./talos-status.ts";
import type { World } from "./world.ts";

export interface Resource {
  id: string;
  spec: unknown;
}

export interface Kind {
  /** `Members.cluster.talos.dev`. */
  type: string;
  namespace: string;
  /** What a table calls it, and what `get` takes for it besides. */
  name: string;
  aliases: string[];
  columns: Record<string, (spec: any) => string>;
  /** Not shown to who only reads. */
  sensitive?: boolean;
  list(world: World, machine: MachineState): Resource[];
}

const pretty = (bytes: number) => `${Math.round(bytes / 1000 ** 3)} GB`;
const on = (machine: MachineState) => (machine.stage === "running" ? machine.installed : (machine.iso ?? machine.installed));

const plain = (name: string) => (spec: any) => String(spec[name] ?? "");

export const KINDS: Kind[] = [
  {
    type: "Members.cluster.talos.dev",
    namespace: "cluster",
    name: "Member",
    aliases: ["member", "members"],
    columns: {
      HOSTNAME: plain("hostname"),
      "MACHINE TYPE": plain("machineType"),
      OS: plain("operatingSystem"),
      ADDRESSES: ({ addresses }) => JSON.stringify(addresses),
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
    columns: { STAGE: plain("stage"), READY: ({ status }) => String(status.ready) },
    list: (world, machine) => [{ id: "machine", spec: machineStatus(world, machine) }],
  },
  {
    type: "MachineConfigs.config.talos.dev",
    namespace: "config",
    name: "MachineConfig",
    aliases: ["machineconfig", "machineconfigs", "mc"],
    columns: {},
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
    columns: { TYPE: String },
    list: (_world, machine) => [{ id: "machine-type", spec: configOf(machine)?.type ?? "unknown" }],
  },
  {
    type: "ExtensionStatuses.runtime.talos.dev",
    namespace: "runtime",
    name: "ExtensionStatus",
    aliases: ["extension", "extensions", "extensionstatus", "extensionstatuses"],
    columns: { NAME: ({ metadata }) => metadata.name, VERSION: ({ metadata }) => metadata.version },
    list: (world, machine) => extensions(world, machine),
  },
  {
    type: "Disks.block.talos.dev",
    namespace: "runtime",
    name: "Disk",
    aliases: ["disk", "disks"],
    columns: {
      SIZE: plain("pretty_size"),
      "READ ONLY": plain("readonly"),
      TRANSPORT: plain("transport"),
      ROTATIONAL: () => "",
      WWID: () => "",
      MODEL: () => "",
      SERIAL: plain("serial"),
    },
    list: (_world, { disks }) =>
      disks.map(({ device, bytes, path }) => ({
        id: device.slice(5),
        spec: {
          dev_path: device,
          size: bytes,
          pretty_size: pretty(bytes),
          io_size: 512,
          sector_size: 512,
          readonly: false,
          cdrom: false,
          serial: path.split("/").at(-1),
          sub_system: "/sys/class/block",
          transport: "virtio",
        },
      })),
  },
  {
    type: "SystemDisks.block.talos.dev",
    namespace: "runtime",
    name: "SystemDisk",
    aliases: ["systemdisk", "systemdisks"],
    columns: { DISK: plain("diskID") },
    list: (_world, { installed, disks }) =>
      installed
        ? disks
            .filter(({ id }) => id === installed.disk)
            .map(({ device }) => ({ id: "system-disk", spec: { diskID: device.slice(5), devPath: device } }))
        : [],
  },
  {
    type: "LinkStatuses.net.talos.dev",
    namespace: "network",
    name: "LinkStatus",
    aliases: ["link", "links", "linkstatus", "linkstatuses"],
    columns: {
      TYPE: plain("type"),
      KIND: plain("kind"),
      "HW ADDR": plain("hardwareAddr"),
      "OPER STATE": plain("operationalState"),
      "LINK STATE": plain("linkState"),
    },
    list: (_world, { mac }) => [
      {
        id: "enp0s3",
        spec: { type: "ether", kind: "", hardwareAddr: mac, permanentAddr: mac, mtu: 1500, operationalState: "up", linkState: true },
      },
      {
        id: "lo",
        spec: {
          type: "loopback",
          kind: "",
          hardwareAddr: "00:00:00:00:00:00",
          permanentAddr: "",
          mtu: 65536,
          operationalState: "unknown",
          linkState: true,
        },
      },
    ],
  },
  {
    type: "HostnameStatuses.net.talos.dev",
    namespace: "network",
    name: "HostnameStatus",
    aliases: ["hostname", "hostnames", "hostnamestatus", "hostnamestatuses"],
    columns: { HOSTNAME: plain("hostname"), DOMAINNAME: plain("domainname") },
    list: (_world, machine) => [{ id: "hostname", spec: { hostname: hostnameOf(machine), domainname: "" } }],
  },
  {
    type: "Nodenames.kubernetes.talos.dev",
    namespace: "k8s",
    name: "Nodename",
    aliases: ["nodename", "nodenames"],
    columns: { NODENAME: plain("nodename") },
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
    columns: { ID: plain("memberID") },
    list: (world, machine) => (etcdMembers(world).includes(machine) ? [{ id: "local", spec: { memberID: machine.etcd!.id } }] : []),
  },
  {
    type: "Services.v1alpha1.talos.dev",
    namespace: "runtime",
    name: "Service",
    aliases: ["service", "services", "svc"],
    columns: { RUNNING: plain("running"), HEALTHY: plain("healthy"), "HEALTH UNKNOWN": plain("unknown") },
    list: (world, machine) =>
      servicesOf(world, machine).map(({ id, state, healthy }) => ({ id, spec: { running: state === "Running", healthy, unknown: false } })),
  },
  {
    type: "TimeStatuses.v1alpha1.talos.dev",
    namespace: "runtime",
    name: "TimeStatus",
    aliases: ["timestatus", "timestatuses"],
    columns: { SYNCED: plain("synced") },
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
