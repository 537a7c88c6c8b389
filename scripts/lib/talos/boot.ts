// Which boot of a node answers: a node that is about to reboot still looks healthy for a moment.
import type { Node } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { ask } from "../run/shell.ts";
import { type Probe, until } from "../run/wait.ts";
import { talosArgs, type Home, shortened, outputOf } from "./node.ts";

/** How long a node may take to shut down, boot and answer again. */
const SECONDS = 900;

const read = async (home: Home, node: Node) =>
  ask({ timeout: "20s" })`talosctl ${await talosArgs(home, node)} read /proc/sys/kernel/random/boot_id`.nothrow();

/** Another one after each boot; undefined when the node does not say. */
export async function bootOf(home: Home, node: Node): Promise<string | undefined> {
  const got = await read(home, node);
  return got.exitCode === 0 ? got.stdout.trim() || undefined : undefined;
}

/** Waits until another boot than `before` answers. */
export async function expectReboot(context: Context, node: Node, before: string): Promise<void> {
  const look = async (): Promise<Probe<true>> => {
    const got = await read(context, node);
    if (got.exitCode !== 0) return { waiting: shortened(outputOf(got)) };
    const now = got.stdout.trim();
    return now === "" || now === before ? { waiting: "it has not rebooted yet" } : { ready: true };
  };
  const { ui, signal } = context;
  await until(look, { for: `${node.name} to reboot`, seconds: SECONDS, ui, signal, next: "task talos:status" });
}
