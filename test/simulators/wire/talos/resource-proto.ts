// Resources that talosctl reads as protobuf, not as YAML: those by which it finds its way to the nodes of a cluster.
import { encode } from "./descriptor.ts";

const ROLES: Record<string, string> = { controlplane: "TYPE_CONTROL_PLANE", worker: "TYPE_WORKER" };
const bytesOf = (address: string) => ({ ip: Buffer.from(address.split(".").map(Number)) });

const ENCODERS: Record<string, (spec: any) => Buffer> = {
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
    encode("talos.resource.definitions.k8s.NodenameSpec", {
      nodename,
      hostname_version: hostnameVersion,
      skip_node_registration: skipNodeRegistration,
    }),
};

/** The protobuf of a resource's spec; empty for those that are read as YAML. */
export const protoOf = (type: string, spec: unknown): Buffer => ENCODERS[type]?.(spec) ?? Buffer.alloc(0);
