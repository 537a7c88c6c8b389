// Writes the JSON schema of talos/cluster.yaml for editors, from the definition that validates it.
import { join } from "node:path";
import { readIfThere, writeFile } from "../lib/run/files.ts";
import { main, procedure } from "../lib/run/procedure.ts";

const FILE = "talos/cluster.schema.json";

/** The schema as text; fields with a default may be left out. */
export async function clusterSchema(): Promise<string> {
  const { z } = await import("zod");
  const { definition } = await import("../lib/cluster/schema.ts");
  const schema = z.toJSONSchema(definition, { io: "input", target: "draft-7", unrepresentable: "any" });
  return `${JSON.stringify({ ...schema, title: "The home: talos/cluster.yaml" }, null, 2)}\n`;
}

export const lintClusterSchema = procedure({
  name: "lint:cluster-schema",
  about: "write the JSON schema of cluster.yaml for editors",
  scope: "none",
  options: {},
  cluster: false,
  async run(_values, { root, ui, confirm }) {
    const wanted = await clusterSchema();
    const { steps } = await confirm(async () => ({
      title: `write ${FILE}`,
      lines: ["from the definition that validates talos/cluster.yaml"],
      steps: (await readIfThere(join(root, FILE))) === wanted ? [] : [{ action: "write", target: FILE }],
    }));
    if (steps.length === 0) return ui.say(`${FILE} is up to date`);
    await writeFile(join(root, FILE), wanted);
    ui.say(`${FILE} was written`);
  },
});

await main(import.meta, lintClusterSchema);
