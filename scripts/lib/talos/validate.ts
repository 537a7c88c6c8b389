// Validates rendered machine configs with talosctl. The configs go through a pipe and leave no file.
import type { Context } from "../run/context.ts";
import { eachOf } from "../run/at-once.ts";
import { textOf } from "../run/errors.ts";
import { ask } from "../run/shell.ts";
import { renderNode } from "./render.ts";

/** The errors of each node's config, strictly validated. Configs for VMware are validated as metal too: the mode only says which fields are required. */
export async function validateAll(context: Context): Promise<string[]> {
  const found = await eachOf(context.cluster.nodes, async (node) => {
    const input = await renderNode(context, node);
    const checked = await ask({ input, timeout: "1m" })`cat | talosctl validate --mode metal --strict --config /dev/stdin`.nothrow();
    return checked.exitCode === 0 ? [] : [`${node.name}: ${textOf(checked)}`];
  });
  return found.flat();
}
