// Prints a node's machine config as it would be sent, with its secrets left as references.
import { findNode } from "../lib/cluster/find.ts";
import { nodeName } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { renderDocuments } from "../lib/talos/render.ts";
import { printDocuments } from "../lib/yaml.ts";

export const render = procedure({
  name: "talos:render",
  about: "print a node's machine config with its secrets left as references",
  options: { node: nodeName() },
  async run({ node }, context) {
    const documents = await renderDocuments(context, findNode(context.cluster, node));
    context.ui.result(documents, (await printDocuments(documents)).trimEnd());
  },
});

await main(import.meta, render);
