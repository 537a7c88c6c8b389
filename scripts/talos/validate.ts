// Renders every machine config and lets talosctl validate it, strictly; the configs go through a pipe and leave no file.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../lib/run/errors.ts";
import type { Context } from "../lib/run/context.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { ownTemplate, TEMPLATE } = await toAct(() => import("../lib/talos/render.ts"));
const { validateAll } = await toAct(() => import("../lib/talos/validate.ts"));

export const validate = procedure({
  name: "talos:validate",
  about: "render every machine config and validate it with talosctl",
  scope: "none",
  readOnly: true,
  options: {},
  async run(_values, context) {
    const wrong = await validateAll(context);
    if (wrong.length)
      throw new Failure({
        attempted: "validate the machine configs",
        said: wrong.join("\n"),
        now: "nothing was sent",
        next: `fix ${templatesOf(context).join(" or ")}, then: task talos:validate`,
      });
    context.ui.say(`${context.cluster.nodes.length} machine configs are valid`);
  },
});

/** The files that the machine configs are made of. */
const templatesOf = ({ root, cluster }: Pick<Context, "root" | "cluster">) =>
  [TEMPLATE, ...cluster.nodes.map(ownTemplate)].filter((file) => existsSync(join(root, file)));

await main(import.meta, validate);
