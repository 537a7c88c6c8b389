// What a node itself says it would do with a config: whether it reboots depends on its version, and it refuses what it cannot take before anything is sent for good.
import type { Node } from "../cluster/cluster.ts";
import { ask } from "../run/shell.ts";
import type { Context } from "../run/context.ts";
import { isOlder, notKnownToIt, versionOf } from "./version.ts";
import { talosArgs, type Home, shortened, outputOf } from "./node.ts";

/** `older` is the Talos that the node runs, when it refuses because that is too old for the config. */
export type DryRun = { reboots: boolean } | { refuse: string; older?: string };

/** Asks by a dry run of talosctl's, which sends the config and changes nothing. Its own diff shows secrets, so nothing of it is passed on. */
export async function dryRunOn(context: Home & Pick<Context, "versions">, node: Node, config: string, mode: string): Promise<DryRun> {
  const got = await ask({
    input: config,
    timeout: "1m",
  })`cat | talosctl apply-config ${await talosArgs(context, node)} --mode ${mode} --dry-run --file /dev/stdin`.nothrow();
  if (got.exitCode === 0) return { reboots: /Applied configuration with a reboot/.test(`${got.stderr}\n${got.stdout}`) };
  const refuse = shortened(outputOf(got));
  const runs = notKnownToIt(refuse) ? await versionOf(context, node) : undefined;
  return { refuse, ...(runs !== undefined && isOlder(runs, context.versions.TALOS_VERSION) && { older: runs }) };
}
