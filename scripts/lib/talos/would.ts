// What a node itself says it would do with a config: whether it reboots depends on its version, and it refuses what it cannot take before anything is sent for good.
import type { Node } from "../cluster/cluster.ts";
import { ask } from "../run/shell.ts";
import { at, type Home, inShort, saidBy } from "./node.ts";

export type Would = { reboots: boolean } | { refuse: string };

/** Asks by a dry run of talosctl's, which sends the config and changes nothing. Its own diff shows secrets, so nothing of it is passed on. */
export async function askNode(context: Home, node: Node, config: string, mode: string): Promise<Would> {
  const got = await ask({
    input: config,
    timeout: "1m",
  })`cat | talosctl apply-config ${await at(context, node)} --mode ${mode} --dry-run --file /dev/stdin`.nothrow();
  if (got.exitCode === 0) return { reboots: /Applied configuration with a reboot/.test(`${got.stderr}\n${got.stdout}`) };
  return { refuse: inShort(saidBy(got)) };
}
