// Prints machine configs as they would be sent, with their secrets left as references.
import { nodeNames } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { findNodes } = await toAct(() => import("../lib/cluster/find.ts"));
const { renderDocuments } = await toAct(() => import("../lib/talos/render.ts"));
const { printDocuments } = await toAct(() => import("../lib/text/yaml.ts"));

export const render = procedure({
  name: "talos:render",
  about: "print a node's machine config with references instead of secrets",
  scope: "none",
  readOnly: true,
  options: { node: nodeNames() },
  async run({ node }, context) {
    const rendered = await Promise.all(
      findNodes(context.cluster, node).map(async (one) => {
        const documents = await renderDocuments(context, one);
        return { node: one.name, documents, text: `# ${one.name}\n${await printDocuments(documents)}` };
      }),
    );
    context.ui.result(
      rendered.map(({ node: name, documents }) => ({ node: name, documents })),
      rendered
        .map(({ text }) => text)
        .join("---\n")
        .trimEnd(),
    );
  },
});

await main(import.meta, render);
