// Prints what Flux would apply of one application, from the working tree: built, patched, and with every variable filled in.
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { appliedObjects, readApp } = await toAct(() => import("../lib/flux/app.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));

export const render = procedure({
  name: "flux:render",
  about: "print what Flux would apply for an application",
  cluster: false,
  scope: "none",
  readOnly: true,
  options: { app: text("name of its Kustomization, or namespace/name") },
  async run({ app }, { root, ui }) {
    const found = await readApp(root, app);
    const objects = appliedObjects(found);
    const sealed = found.built.length - objects.length;
    ui.result(objects, (await printDocuments(objects)).trimEnd());
    if (sealed > 0) ui.warn(`${sealed} SOPS ${sealed === 1 ? "file is" : "files are"} left out: they are decrypted in the cluster`);
  },
});

await main(import.meta, render);
