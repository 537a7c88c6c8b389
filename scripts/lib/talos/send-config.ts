// Sends a node its machine config, and waits until the node reports it.
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { expectConfig } from "./config-documents.ts";
import { talosArgs, insecureTalosArgs, shortened, outputOf } from "./node.ts";
import { idFor, type Mode } from "./apply-mode.ts";
import { isNewNode, type NodeConfig } from "./node-config.ts";
import { notKnownToIt } from "./version.ts";

/** Errors after which the node may have the config: reading it back decides. */
const DOUBTFUL =
  /already in progress|already applied and node is rebooting|code = (Unavailable|DeadlineExceeded|Canceled)|EOF|connection reset|no answer within/;

/** talosctl closed the connection to a machine with another certificate, before it sent anything. */
const SWAPPED = /doesn't match the provided fingerprints/;

/** Sends the config and waits until the node reports it. A machine without a config must show the same certificate as in the plan. */
export async function sendConfig(context: Context, nodeConfig: NodeConfig, mode: Mode = "auto"): Promise<void> {
  const { node, config } = nodeConfig;
  const { ui } = context;
  const how = isNewNode(nodeConfig)
    ? [...insecureTalosArgs(context, node), "--insecure", "--cert-fingerprint", nodeConfig.machine.fingerprint]
    : [...(await talosArgs(context, node)), "--mode", mode];
  ui.progress(`applying the machine config of ${node.name}`);
  const sent = await $({ input: config, timeout: "2m" })`cat | talosctl apply-config ${how} --file /dev/stdin`.nothrow();
  if (sent.exitCode !== 0) {
    const said = shortened(outputOf(sent));
    if (SWAPPED.test(outputOf(sent)))
      throw new Failure({
        attempted: `apply the machine config of ${node.name}`,
        said: `the machine at ${node.address} no longer shows the certificate that it showed during the look`,
        now: "nothing was sent to it",
        next: `task talos:apply NODE=${node.name} looks again`,
      });
    if (!DOUBTFUL.test(outputOf(sent)))
      throw new Failure({
        attempted: `apply the machine config of ${node.name}`,
        said,
        next:
          isNewNode(nodeConfig) && notKnownToIt(said)
            ? `boot it from the ISO of Talos ${context.versions.TALOS_VERSION} (task talos:prepare-iso), then: task talos:apply NODE=${node.name}`
            : `task talos:status, then: task talos:apply NODE=${node.name}`,
      });
    ui.say(`${node.name}: ${said}; looking at what it holds`);
  }
  await expectConfig(context, node, config, idFor(mode));
  ui.say(`${node.name} holds the config${AFTERWARDS[mode] ?? ""}`);
}

const AFTERWARDS: Partial<Record<Mode, string>> = {
  staged: " for its next boot",
  try: "; it takes it back within a minute: MODE=auto keeps it",
};
