// Resources that talosctl reads as protobuf, not as YAML: by which it finds the nodes of a cluster, and which it watches while it upgrades Kubernetes.
import { encode } from "./descriptor.ts";

const ROLES: Record<string, string> = { controlplane: "TYPE_CONTROL_PLANE", worker: "TYPE_WORKER" };
const bytesOf = (address: string) => ({ ip: Buffer.from(address.split(".").map(Number)) });

const K8S = "talos.resource.definitions.k8s";

const ENCODERS: Record<string, (spec: any) => Buffer> = {
  "MachineConfigs.config.talos.dev": (text: string) =>
    encode("talos.resource.config.MachineConfigSpec", { yaml_marshalled: Buffer.from(text) }),
  "Services.v1alpha1.talos.dev": (spec) => encode("talos.resource.definitions.v1alpha1.ServiceSpec", spec),
  "KubeletSpecs.kubernetes.talos.dev": ({ image, expectedNodename }) =>
    encode(`${K8S}.KubeletSpecSpec`, { image, expected_nodename: expectedNodename }),
  "APIServerConfigs.kubernetes.talos.dev": ({ image, controlPlaneEndpoint, localPort }) =>
    encode(`${K8S}.APIServerConfigSpec`, { image, control_plane_endpoint: controlPlaneEndpoint, local_port: localPort }),
  "ControllerManagerConfigs.kubernetes.talos.dev": (spec) => encode(`${K8S}.ControllerManagerConfigSpec`, spec),
  "SchedulerConfigs.kubernetes.talos.dev": (spec) => encode(`${K8S}.SchedulerConfigSpec`, spec),
  "Members.cluster.talos.dev": ({ nodeId, addresses, hostname, machineType, operatingSystem, controlPlane }) =>
    encode("talos.resource.definitions.cluster.MemberSpec", {
      node_id: nodeId,
      addresses: addresses.map(bytesOf),
      hostname,
      machine_type: ROLES[machineType] ?? "TYPE_UNKNOWN",
      operating_system: operatingSystem,
      ...(controlPlane && { control_plane: { api_server_port: String(controlPlane.port) } }),
    }),
  "Nodenames.kubernetes.talos.dev": ({ nodename, hostnameVersion, skipNodeRegistration }) =>
    encode(`${K8S}.NodenameSpec`, {
      nodename,
      hostname_version: hostnameVersion,
      skip_node_registration: skipNodeRegistration,
    }),
};

/** The protobuf of a resource's spec; empty for those that are read as YAML. */
export const protoOf = (type: string, spec: unknown): Buffer => ENCODERS[type]?.(spec) ?? Buffer.alloc(0);
