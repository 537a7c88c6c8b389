// Asks a node what it would do with a config. Whether it reboots depends on its version, and a dry run shows a refusal before anything changes.
import type { Node } from "../cluster/cluster.ts";
import { ask } from "../run/shell.ts";
import type { Context } from "../run/context.ts";
import { isOlder, notKnownToIt, versionOf } from "./version.ts";
import { talosArgs, type Home, shortened, outputOf } from "./node.ts";

/** `older`: the node's Talos version, if it refuses because that is too old for the config. */
export type DryRun = { reboots: boolean } | { refuse: string; older?: string };

/** Uses talosctl's dry run, which sends the config and changes nothing. Its diff contains secrets, so it is not shown. */
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
