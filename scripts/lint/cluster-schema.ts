// Writes the JSON schemas of talos/cluster.yaml and of secret-sources.yaml for editors, from the definitions that validate them.
import { join } from "node:path";
import { readIfThere, writeFile } from "../lib/run/files.ts";
import { main, procedure } from "../lib/run/procedure.ts";

/** The schema of talos/cluster.yaml as text; fields with a default may be left out. */
export async function clusterSchema(): Promise<string> {
  const { definition } = await import("../lib/cluster/schema.ts");
  return schemaOf(definition, "The home: talos/cluster.yaml");
}

/** The schema of secret-sources.yaml as text. */
export async function secretSourcesSchema(): Promise<string> {
  const { declaration } = await import("../lib/secrets/declaration.ts");
  return schemaOf(declaration, "Who creates the secrets of an application: secret-sources.yaml");
}

async function schemaOf(definition: import("zod").ZodType, title: string): Promise<string> {
  const { z } = await import("zod");
  const schema = z.toJSONSchema(definition, { io: "input", target: "draft-7", unrepresentable: "any" });
  return `${JSON.stringify({ ...schema, title }, null, 2)}\n`;
}

export const lintClusterSchema = procedure({
  name: "lint:cluster-schema",
  about: "write the JSON schemas of cluster.yaml and secret-sources.yaml for editors",
  scope: "none",
  options: {},
  cluster: false,
  async run(_values, { root, ui, confirm }) {
    const schemas = [
      { file: "talos/cluster.schema.json", text: await clusterSchema() },
      { file: "kubernetes/secret-sources.schema.json", text: await secretSourcesSchema() },
    ];
    const { steps } = await confirm(async () => {
      const now = await Promise.all(schemas.map(({ file }) => readIfThere(join(root, file))));
      const stale = schemas.filter(({ text }, index) => now[index] !== text);
      return {
        title: "write JSON schemas",
        lines: stale.map(({ file }) => file),
        steps: stale.map(({ file }) => ({ action: "write", target: file })),
      };
    });
    for (const { target } of steps) {
      await writeFile(join(root, target), schemas.find(({ file }) => file === target)!.text);
      ui.say(`${target} was written`);
    }
    if (steps.length === 0) ui.say("the JSON schemas are up to date");
  },
});

await main(import.meta, lintClusterSchema);
