// Shows what Flux would change in the cluster for one application, if the working tree were pushed. Changes nothing.
import { Stop } from "../lib/run/errors.ts";
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { appliedObjects, readApp } = await toAct(() => import("../lib/flux/app.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { differenceOf } = await toAct(() => import("../lib/flux/difference.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));

export const diff = procedure({
  name: "flux:diff",
  about: "show what Flux would change for an application",
  scope: "none",
  readOnly: true,
  pending: true,
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, context) {
    const { root, ui } = context;
    const found = await readApp(root, app);
    const access = await expectOurCluster(context);
    const difference = await differenceOf(access, await printDocuments(appliedObjects(found)));
    if (difference === "") return ui.result({ app, changes: false, difference }, `${found.namespace}/${found.name}: no changes`);
    ui.result({ app, changes: true, difference }, difference.trimEnd());
    throw new Stop("changes are pending: commit and push, then: task flux:sync", { pending: true });
  },
});

await main(import.meta, diff);
