// What a node shows of the Kubernetes that it runs: how the kubelet and the control plane's components are started.
import { configOf, hostnameOf } from "./machines.ts";
import type { Kind } from "./resource-kind.ts";
import type { MachineState } from "./machine-state.ts";

type Component = "kube-apiserver" | "kube-controller-manager" | "kube-scheduler";

const component = (type: string, name: string, id: Component, more: (machine: MachineState) => object, sensitive = false): Kind => ({
  type: `${type}.kubernetes.talos.dev`,
  namespace: "controlplane",
  name,
  aliases: [name.toLowerCase(), type.toLowerCase()],
  columns: {},
  ...(sensitive && { sensitive }),
  list: (_world, machine) => {
    const config = configOf(machine);
    return config?.type === "controlplane" ? [{ id, spec: { image: config.images[id], ...more(machine) } }] : [];
  },
});

export const KUBERNETES: Kind[] = [
  {
    type: "KubeletSpecs.kubernetes.talos.dev",
    namespace: "k8s",
    name: "KubeletSpec",
    aliases: ["kubeletspec", "kubeletspecs"],
    columns: {},
    sensitive: true,
    list: (_world, machine) => {
      const config = configOf(machine);
      return config ? [{ id: "kubelet", spec: { image: config.images.kubelet, expectedNodename: hostnameOf(machine), config: {} } }] : [];
    },
  },
  component(
    "APIServerConfigs",
    "APIServerConfig",
    "kube-apiserver",
    (machine) => ({ controlPlaneEndpoint: configOf(machine)!.cluster.endpoint, localPort: 6443 }),
    true,
  ),
  component("ControllerManagerConfigs", "ControllerManagerConfig", "kube-controller-manager", () => ({ enabled: true })),
  component("SchedulerConfigs", "SchedulerConfig", "kube-scheduler", () => ({ enabled: true })),
];
