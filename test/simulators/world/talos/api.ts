// What a Talos node does when its API is called: apply a config, bootstrap etcd. Refusals are gRPC statuses, as data.
import { randomBytes } from "node:crypto";
import { createTwoFilesPatch } from "diff";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { loadDocuments, readMachineConfig } from "./machine-config.ts";
import { configOf, hostnameOf, PACE } from "./machines.ts";
import { memberId } from "./etcd.ts";
import { minorOf, SINCE } from "./version.ts";
import type { World } from "../world.ts";
import { type Status, DROPPED } from "./grpc-status.ts";
import type { MachineState } from "./machine-state.ts";

export const MODES = ["auto", "no-reboot", "reboot", "staged", "try"] as const;
export type Mode = (typeof MODES)[number];

/** Applies a machine config, or tells what it would do. */
export function applyConfig(
  world: World,
  machine: MachineState,
  text: string,
  mode: Mode,
  dryRun: boolean,
  { trialMs = TRIAL_MS }: { trialMs?: number } = {},
): { details: string } | Status {
  const maintenance = machine.stage !== "running";
  const loaded = loadDocuments(text, minorOf(machine));
  if ("error" in loaded) return { code: "InvalidArgument", description: loaded.error };
  const read = readMachineConfig(text, minorOf(machine));
  if ("error" in read) return { code: "InvalidArgument", description: read.error };
  if (machine.stage === "installing")
    return { code: "FailedPrecondition", description: "another apply configuration is already in progress" };
  if (read.config.install.selects && machine.disks.length === 0)
    return { code: "InvalidArgument", description: "1 error occurred:\n\t* no disks matched the expression\n\n" };
  const reason = maintenance ? undefined : needsReboot(machine.config!.active, text);
  if (reason && (mode === "no-reboot" || mode === "try")) return { code: "InvalidArgument", description: reason };
  const minor = minorOf(machine);
  const reboots = !maintenance && (mode === "reboot" || (mode === "auto" && reason !== undefined && minor < SINCE.autoNeverReboots));
  const details =
    mode === "staged"
      ? "Staged configuration to be applied after the next reboot"
      : reboots
        ? "Applied configuration with a reboot"
        : "Applied configuration without a reboot";
  if (dryRun && maintenance && minor < SINCE.maintenanceApi)
    return { details: `Dry run summary:\nNode is running in maintenance mode and does not have a config yet.` };
  if (dryRun)
    return {
      details: `Dry run summary:\n${details} (skipped in dry-run).\nConfig diff:\n\n${difference(machine.config?.active ?? "", text) || "No changes."}`,
    };
  world.change("product", `apply config to ${machine.vm}`, ({ machines }) => {
    const it = machines[machine.mac]!;
    if (maintenance)
      Object.assign(it, { config: { active: text, persistent: text }, stage: "installing", due: world.now() + PACE.install });
    else {
      const { active, persistent } = it.config!;
      it.config = { active: mode === "staged" || reboots ? active : text, persistent: mode === "try" ? persistent : text };
      if (it.config.active !== active && configOf(it)!.images.kubelet !== imagesOf(active).kubelet)
        it.kubeletFrom = world.now() + PACE.kubelet;
      if (mode === "try") it.revertAt = world.now() + trialMs;
      else delete it.revertAt;
      if (reboots) Object.assign(it, { stage: "rebooting", due: world.now() + PACE.reboot });
    }
  });
  if (world.strikes("talos-drops-stream")) return DROPPED;
  if (mode === "try")
    return {
      details: `${details}\nThe config is applied in 'try' mode and will be automatically reverted back in ${goDuration(trialMs)}`,
    };
  return { details: reboots && mode === "auto" ? `${details}: ${reason}` : details };
}

function imagesOf(text: string) {
  const read = readMachineConfig(text, 14);
  if ("error" in read) throw new Error(`a node holds a config that it cannot read: ${read.error}`);
  return read.config.images;
}

/** How long a config is tried. */
const TRIAL_MS = 60_000;

/** `1m0s`, as Go writes a duration of whole seconds. */
function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h ? `${h}h` : ""}${h || m ? `${m}m` : ""}${s}s`;
}

/** Parts of v1alpha1 that take effect without a reboot. Other documents always do. */
const LIVE = [
  "ca",
  "acceptedCAs",
  "time",
  "certSANs",
  "install",
  "network",
  "sysfs",
  "sysctls",
  "logging",
  "controlPlane",
  "kubelet",
  "kernel",
  "registries",
  "pods",
  "seccompProfiles",
  "nodeAnnotations",
  "nodeLabels",
  "nodeTaints",
];
const LIVE_FEATURES = ["kubernetesTalosAPIAccess", "kubePrism", "hostDNS", "imageCache", "nodeAddressSortAlgorithm"];

/** Why a node has to reboot for this change, in Talos' words. */
export function needsReboot(before: string, after: string): string | undefined {
  const [old, young] = [fixedPart(before), fixedPart(after)];
  if (isDeepStrictEqual(old, young)) return undefined;
  return `this config change can't be applied in immediate mode\ndiff:\n${difference(stringify(old), stringify(young))}`;
}

function fixedPart(text: string): unknown {
  const main =
    parseAllDocuments(text)
      .map((document) => document.toJS() as any)
      .find((document) => document && !document.kind) ?? {};
  const { debug: _debug, cluster: _cluster, machine = {}, ...rest } = main;
  const without = (tree: object, names: string[]) => Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)));
  const features = without(machine.features ?? {}, LIVE_FEATURES);
  const { features: _features, ...fixed } = without(machine, LIVE) as { features?: unknown };
  return { ...rest, machine: { ...fixed, ...(Object.keys(features).length > 0 && { features }) } };
}

/** The diff of two configs as a node shows it: of the text that it would write, without comments; empty when nothing differs. */
function difference(before: string, after: string): string {
  const plain = (text: string) =>
    parseAllDocuments(text)
      .map((document) => stringify(document.toJS(), { indent: 4, lineWidth: 0 }))
      .join("---\n");
  const [old, young] = [before && plain(before), plain(after)];
  if (old === young) return "";
  return createTwoFilesPatch("a", "b", old, young, undefined, undefined, { context: 3 })
    .replace(/^=+\n/, "")
    .replace(/^(---|\+\+\+) (\w)\t$/gm, "$1 $2");
}

/** Starts etcd as the first member of a new cluster. */
export function bootstrap(world: World, machine: MachineState): Status | undefined {
  if (machine.stage !== "running" || !machine.config) return { code: "FailedPrecondition", description: "bootstrap is not available yet" };
  const read = readMachineConfig(machine.config.active, 14);
  if ("config" in read && read.config.type !== "controlplane")
    return minorOf(machine) < SINCE.maintenanceApi
      ? { code: "FailedPrecondition", description: "bootstrap can only be performed on a control plane node" }
      : { code: "Unimplemented", description: "bootstrap is only available on control plane nodes" };
  if (world.strikes("time-not-in-sync"))
    world.change(
      "world",
      `${machine.vm} has no time yet`,
      ({ machines }) => void (machines[machine.mac]!.syncedFrom = world.now() + PACE.clock),
    );
  if ((world.state.machines[machine.mac]?.syncedFrom ?? 0) > world.now())
    return { code: "FailedPrecondition", description: "time is not in sync yet" };
  if (machine.etcd) return { code: "AlreadyExists", description: "etcd data directory is not empty" };
  const readyAt = world.now() + PACE.etcd;
  world.change("product", `bootstrap etcd on ${machine.vm}`, ({ machines }) => {
    machines[machine.mac]!.etcd = {
      id: memberId(),
      cluster: randomBytes(8).toString("hex"),
      name: hostnameOf(machine),
      readyAt,
      learnerUntil: 0,
    };
  });
  return undefined;
}
