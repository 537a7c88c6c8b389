// The installation on a machine in maintenance mode: its lines in the plan, the node names to confirm, and its steps.
import type { Node } from "../cluster/cluster.ts";
import type { Step } from "../run/plan.ts";
import { contentsLine, isBlank } from "./disks.ts";
import type { Machine } from "./identity.ts";
import type { Unasked } from "./members.ts";

export interface Install {
  node: Pick<Node, "name" | "address">;
  machine: Machine;
  /** What etcd or Kubernetes knows about a living node at its address. */
  known?: string | undefined;
  /** Why neither could be asked, and whether a cluster exists that could know. */
  unasked?: Unasked | undefined;
}

/** The lines of the plan. */
export const installLines = ({ node, machine, known, unasked }: Install): string[] => [
  `${node.name} (${node.address}), maintenance: installs Talos on its system disk, and reboots`,
  `  certificate ${machine.fingerprint}, which its console shows too`,
  ...machine.disks.map((disk) => `  ${contentsLine(disk)}`),
  ...(known === undefined ? [] : [`  careful: ${known}`]),
  ...(unasked === undefined
    ? []
    : [
        `  ${doubtOf(unasked) === undefined ? "" : "careful: "}it is unknown whether the cluster has a living node at this address: ${unasked.why}`,
      ]),
];

/** What is lost or at risk on this machine, a line each. None for blank disks at an address that is unknown to the cluster, or without a cluster. */
export const lossesOf = ({ node, machine, known, unasked }: Install): string[] => [
  ...machine.disks.filter((disk) => !isBlank(disk)).map((disk) => `${node.name}: ${contentsLine(disk)}${NOTE[disk.role]}`),
  ...(known === undefined ? [] : [`${node.name}: ${known}`]),
  ...(doubtOf(unasked) === undefined
    ? []
    : [`${node.name}: the cluster may have a living node at ${node.address}, and cannot be asked (${doubtOf(unasked)})`]),
];

/** Why a cluster may exist that does not answer. Undefined where the cluster answered, or every other node waits for its first config. */
const doubtOf = (unasked: Unasked | undefined) =>
  unasked?.cluster ?? (unasked?.silent && `${unasked.silent.join(", ")} ${unasked.silent.length === 1 ? "does" : "do"} not answer`);

const NOTE = { system: "", data: " (the install leaves it, but Ceph takes only a blank disk)" };

/** What the operator must confirm by typing node names; undefined if a yes is enough. */
export function confirmationOf(installs: readonly Install[]): { what: string[]; name: string } | undefined {
  const losing = installs.filter((install) => lossesOf(install).length > 0);
  if (losing.length === 0) return undefined;
  return { what: losing.flatMap(lossesOf), name: losing.map(({ node }) => node.name).join(",") };
}

const send = (name: string, fingerprint: string): Step => ({
  action: "send the machine config to",
  target: `${name}, certificate ${fingerprint}`,
});

/** The step for a node that does not answer yet. It assumes blank disks: any loss that is found later was not confirmed. */
export const installStep = (name: string): Step => ({ action: "install Talos on", target: name, destroys: true });

/** The steps of an installation. Two plans are equal if the same machine answers and nothing else would be lost. */
export function installSteps({ node: { name }, machine, known, unasked }: Install): Step[] {
  return [
    installStep(name),
    send(name, machine.fingerprint),
    ...(machine.disks.every(isBlank) ? [] : [{ action: "install over the data on", target: name, destroys: true }]),
    ...(known === undefined ? [] : [{ action: "install at the address of the living node", target: name, destroys: true }]),
    ...(doubtOf(unasked) === undefined ? [] : [{ action: "install without an answer of the cluster on", target: name, destroys: true }]),
  ];
}

/** Nodes whose certificate differs from the plan's, a line each. A node without a certificate in the plan did not answer then. */
export function changedMachines(planned: readonly Step[], installs: readonly Install[]): string[] {
  return installs.flatMap(({ node, machine }) => {
    const now = send(node.name, machine.fingerprint);
    const shown = planned.find(({ action, target }) => action === now.action && target.startsWith(`${node.name}, `));
    return shown === undefined || shown.target === now.target ? [] : [`the plan showed ${shown.target}; now it is ${machine.fingerprint}`];
  });
}
