// talosctl reboot, shutdown, reset, rollback, upgrade: what takes a node down, followed by its events until it is back.
import { machineStatus } from "../../world/talos/status.ts";
import { PACE } from "../../world/talos/machines.ts";
import { reboot, reset, type ResetWish, rollback, shutdown } from "../../world/talos/power.ts";
import { pullImage, upgradeAtOnce, writeUpgrade } from "../../world/talos/upgrade.ts";
import { minorOf, SINCE } from "../../world/talos/version.ts";
import { Untaught } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import { milliseconds, moment } from "../kubectl/client.ts";
import { fanOut, listErrors, reach, type TalosCall, TalosError, type Target, warnOlder } from "./client.ts";
import { type Status, wordsOf } from "../../world/talos/grpc-status.ts";
import type { MachineState } from "../../world/talos/machine-state.ts";

type Begun = { actor: string } | Status;

interface Sequence {
  name: string;
  begin(world: World, machine: MachineState): Begun;
  /** From this time on the events contain what the client waits for. */
  over(world: World, machine: MachineState, boot: string): boolean;
  /** Whether the node is checked once more at the end. */
  checks: boolean;
}

const back = (world: World, machine: MachineState, boot: string) =>
  machine.bootId !== boot && machine.stage === "running" && machineStatus(world, machine).status.ready;
/** Services are stopped while the node goes down. */
const stops = (world: World, { stage, leaving, due = 0 }: MachineState) =>
  stage !== "running" || (leaving !== undefined && due - world.now() <= PACE.stop / 2);

export const rebootCommand = (talos: TalosCall) => go(talos, { name: "reboot", begin: reboot, over: back, checks: true });

export const shutdownCommand = (talos: TalosCall) => go(talos, { name: "shutdown", begin: shutdown, over: stops, checks: false });

export function resetCommand(talos: TalosCall): Promise<number> {
  const { words } = talos;
  const modes: Record<string, ResetWish["mode"]> = { all: "ALL", "system-disk": "SYSTEM_DISK", "user-disks": "USER_DISKS" };
  const mode = modes[words.text("wipe-mode") ?? "all"];
  if (!mode) throw new Untaught(`--wipe-mode ${words.text("wipe-mode")}`);
  const wish = {
    graceful: words.given("graceful") ?? true,
    reboot: words.on("reboot"),
    labels: words.list("system-labels-to-wipe"),
    userDisks: words.list("user-disks-to-wipe"),
    mode,
  };
  return go(talos, { name: "reset", begin: (world, machine) => reset(world, machine, wish), over: stops, checks: wish.reboot });
}

export async function rollbackCommand(talos: TalosCall): Promise<void> {
  const { answered, error } = fanOut(await reach(talos), false);
  const errors = answered.flatMap(({ node, machine }) => {
    const refused = rollback(talos.world, machine);
    return refused ? [`${node}: ${wordsOf(refused)}`] : [];
  });
  const wrong = error ?? (errors.length > 0 ? listErrors(errors) : undefined);
  if (wrong !== undefined) throw new TalosError(`error executing rollback: ${wrong}`);
}

/** Pulls and installs by the calls that came with 1.13, then reboots; an older node does all by one call. */
export async function upgradeCommand(talos: TalosCall): Promise<number> {
  const { world, call, words } = talos;
  const image = words.text("image");
  if (image === undefined) throw new Untaught("the default image");
  const targets = await reach(talos);
  const { answered } = fanOut(targets, false);
  const old = answered.some(({ machine }) => minorOf(machine) < SINCE.lifecycle);
  if (old || words.on("legacy")) {
    call.err(
      words.on("legacy")
        ? "WARNING: Forcing use of legacy upgrade method. This flag is deprecated and will be removed in Talos 1.18.\n"
        : "New upgrade API is not available, falling back to legacy\n",
    );
    const asked = { image, force: words.on("force") };
    return go(talos, { name: "upgrade", begin: (world, machine) => upgradeAtOnce(world, machine, asked), over: back, checks: true });
  }
  if (!words.on("no-reboot") && (words.given("drain") ?? true)) throw new Untaught("to drain a node: --drain=false");
  everyNode(targets, "error pulling upgrade image", ({ node }) => {
    const refused = pullImage(world, image);
    if (!refused) call.err(`${node}: pulled image ${image}\n`);
    return refused;
  });
  everyNode(targets, "error during upgrade", ({ node, machine }) => {
    const refused = writeUpgrade(world, machine, image);
    if (!refused) call.err(`${node}: Exit code: 0\n${node}: upgrade completed\n`);
    return refused;
  });
  return words.on("no-reboot") ? 0 : rebootCommand(talos);
}

function everyNode(targets: Target[], what: string, act: (answered: { node: string; machine: MachineState }) => Status | undefined): void {
  const errors = targets.flatMap((target) => {
    const refused = "machine" in target ? act(target) : undefined;
    const error = "error" in target ? target.error : refused && wordsOf(refused);
    return error === undefined ? [] : [`error from node ${target.node}: ${error}`];
  });
  if (errors.length > 0) throw new TalosError(`${what}: ${errors.join("\n")}`);
}

/** Begins a sequence on each node and, unless told not to, follows it. What goes wrong is a line of its node. */
async function go(talos: TalosCall, sequence: Sequence): Promise<number> {
  const { world, words } = talos;
  const targets = await reach(talos);
  if (!(words.given("wait") ?? true)) return begin(world, targets, sequence);
  warnOlder(talos, targets);
  const until = world.now() + milliseconds(words.text("timeout") ?? "30m");
  const outcomes = await Promise.all(targets.map((target) => follow(talos, target, sequence, until)));
  return outcomes.every(Boolean) ? 0 : 1;
}

function begin(world: World, targets: Target[], { name, begin }: Sequence): number {
  const { answered, error } = fanOut(targets, false);
  const errors = answered.flatMap(({ node, machine }) => {
    const begun = begin(world, machine);
    return "code" in begun ? [`${node}: ${wordsOf(begun)}`] : [];
  });
  const wrong = error ?? (errors.length > 0 ? listErrors(errors) : undefined);
  if (wrong !== undefined) throw new TalosError(`error executing ${name}: ${wrong}`);
  return 0;
}

async function follow({ world, call }: TalosCall, target: Target, { begin, over, checks }: Sequence, until: number): Promise<boolean> {
  const say = (what: string) => call.err(`${JSON.stringify(target.node)}: ${what}\n`);
  if ("error" in target) return (say(target.error), false);
  const { mac, bootId } = target.machine;
  const begun = begin(world, target.machine);
  if ("code" in begun) return (say(wordsOf(begun)), false);
  say("waiting for actor ID");
  say(`actor ID: ${begun.actor}`);
  const met = async (holds: (machine: MachineState) => boolean) => {
    for (; world.now() < until; await moment()) {
      const machine = world.state.machines[mac];
      if (machine && holds(machine)) return true;
    }
    return (say("context deadline exceeded"), false);
  };
  if (!(await met((machine) => over(world, machine, bootId)))) return false;
  say("events check condition met");
  if (!checks) return true;
  if (!(await met((machine) => machine.bootId !== bootId))) return false;
  say("post check passed");
  return true;
}
