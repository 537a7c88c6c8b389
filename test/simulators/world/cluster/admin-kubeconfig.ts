// The kubeconfig that a control plane gives to who may ask for it.
import { stringify } from "yaml";
import { issue, signerOf } from "../certificates.ts";
import { configOf } from "../talos/machines.ts";
import type { World } from "../world.ts";
import type { Status } from "../talos/grpc-status.ts";
import type { MachineState } from "../talos/machine-state.ts";

/** An admin's kubeconfig, with a new certificate that the cluster's CA signs for a year. */
export function adminKubeconfig(world: World, machine: MachineState): { text: string } | Status {
  const config = configOf(machine);
  if (config?.type !== "controlplane") return { code: "Unimplemented", description: "kubeconfig is only available on control plane nodes" };
  const { name, endpoint, ca } = config.cluster;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const client = issue(signerOf(ca.crt, ca.key), {
    subject: { organizations: ["system:masters"], commonName: "admin" },
    days: 365,
    use: ["client"],
    now: new Date(world.now()),
  });
  const text = stringify(
    {
      apiVersion: "v1",
      clusters: [{ cluster: { "certificate-authority-data": base64(ca.crt), server: endpoint }, name }],
      contexts: [{ context: { cluster: name, namespace: "default", user: `admin@${name}` }, name: `admin@${name}` }],
      "current-context": `admin@${name}`,
      kind: "Config",
      users: [{ name: `admin@${name}`, user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) } }],
    },
    { lineWidth: 0, indent: 4 },
  );
  return { text };
}
