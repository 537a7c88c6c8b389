// An upgrade of Talos: the installer is pulled, written beside what runs, and booted with the next reboot.
import { hasInstaller } from "./factory.ts";
import { readInstaller } from "../life.ts";
import { answers, etcdMembers, runningNodes, configOf } from "./machines.ts";
import { minorOf, SINCE } from "./version.ts";
import { reboot } from "./power.ts";
import type { World } from "../world.ts";
import { DROPPED, type Status } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

const missing = (image: string) => `failed to pull image ${JSON.stringify(image)}: ${image}: not found`;

/** Whether the node can pull an installer image. */
export function pullImage(world: World, image: string): Status | undefined {
  const medium = readInstaller(image);
  if (medium && hasInstaller(world.state, medium)) return undefined;
  return { code: "NotFound", description: `error pulling image: ${missing(image)}` };
}

/** Writes the image beside the system that runs; the next boot takes it. Since 1.13 nobody asks etcd first. */
export function writeUpgrade(world: World, machine: MachineState, image: string): Status | undefined {
  if (minorOf(machine) < SINCE.lifecycle) return { code: "Unimplemented", description: "unknown service machine.LifecycleService" };
  if (!answers(machine) || !machine.installed) return { code: "FailedPrecondition", description: "machine is not installed" };
  if (!image) return { code: "InvalidArgument", description: "installer image name is required" };
  if (world.strikes("talos-drops-stream")) return DROPPED; // who hangs up ends the installer
  return write(world, machine, image);
}

function write(world: World, machine: MachineState, image: string): Status | undefined {
  const refused = pullImage(world, image);
  if (refused) return refused;
  const { disk } = machine.installed!;
  world.change("product", `install ${image} on ${machine.vm}`, ({ machines }) => {
    machines[machine.mac]!.next = { ...readInstaller(image)!, disk };
  });
  return undefined;
}

/** The call that does all by itself, up to the reboot: of 1.12 and before, and kept since. It does ask etcd, unless forced. */
export function upgradeAtOnce(
  world: World,
  machine: MachineState,
  { image, force, preserve = false }: { image: string; force: boolean; preserve?: boolean },
): { ack: string; actor: string } | Status {
  if (!machine.installed || machine.stage !== "running") return { code: "FailedPrecondition", description: "Talos is not installed" };
  if (pullImage(world, image))
    return { code: "Unknown", description: `error validating installer image ${JSON.stringify(image)}: ${missing(image)}` };
  const refused = (force || preserve ? undefined : quorumAtRisk(world, machine)) ?? write(world, machine, image);
  if (refused) return refused;
  const begun = reboot(world, machine);
  return "code" in begun ? begun : { ack: "Upgrade request received", actor: begun.actor };
}

function quorumAtRisk(world: World, machine: MachineState): Status | undefined {
  if (configOf(machine)?.type !== "controlplane") return undefined;
  const wrong = (what: string): Status => ({ code: "Unknown", description: `error validating etcd for upgrade: ${what}` });
  const planes = runningNodes(world.state).filter((one) => configOf(one)?.type === "controlplane");
  const members = etcdMembers(world);
  const lacking = planes.find((one) => !members.includes(one));
  if (lacking) return wrong(`etcd member ${lacking.vm} is not healthy; all members must be healthy to perform an upgrade`);
  return members.length === 2 ? wrong("etcd member count(2) is insufficient to maintain quorum if upgrade commences") : undefined;
}
