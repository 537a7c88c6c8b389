// Copies the values of talos/cluster.yaml and versions.env into the files of kubernetes/ that Flux reads.
import { join } from "node:path";
import type { Context } from "./lib/run/context.ts";
import { Failure } from "./lib/run/errors.ts";
import { readIfThere, writeFile } from "./lib/run/files.ts";
import { disagreements, inWords, settle } from "./lib/tree/agreement.ts";
import type { Plan } from "./lib/run/plan.ts";
import { main, procedure } from "./lib/run/procedure.ts";
import type { Disagreement } from "./lib/tree/disagreement.ts";

export const configure = procedure({
  name: "configure",
  about: "copy the values of cluster.yaml and versions.env into kubernetes/",
  options: {},
  async run(_values, context) {
    const { root, ui } = context;
    const { steps, changes, values } = await context.confirm(() => decide(context));
    if (steps.length === 0) return ui.say("kubernetes/ agrees with talos/cluster.yaml and versions.env");
    for (const { file, after } of changes) await writeFile(join(root, file), after);

    const left = await look(context);
    if (left.length > 0)
      throw new Failure({
        attempted: "copy talos/cluster.yaml and versions.env into kubernetes/",
        said: left.map(inWords).join("\n"),
        now: "the files above still differ",
        next: "edit them by hand",
      });
    ui.say(`wrote ${values}; Flux applies them after you commit and push`);
  },
});

interface FileChange {
  file: string;
  before: string;
  after: string;
}

/** The files to write. It runs again after the question, so that edits made meanwhile are kept. */
async function decide(context: Context): Promise<Plan & { changes: FileChange[]; values: string }> {
  const seen = new Map<string, string>();
  const found = await look(context, seen);
  const changes: FileChange[] = [];
  for (const file of new Set(found.map((one) => one.file))) {
    const before = seen.get(file)!;
    const about = found.filter((one) => one.file === file);
    changes.push({ file, before, after: await settle(before, about) });
  }
  const values = `${found.length} ${found.length === 1 ? "value" : "values"}`;
  return {
    title: `configure: ${values} in kubernetes/`,
    lines: (await Promise.all(changes.map(diffOf))).flat(),
    steps: found.map(({ file, field, has, wants }) => ({ action: `change ${field} from ${has} to ${wants} in`, target: file })),
    changes,
    values,
  };
}

/** The differences; `seen` receives the texts that were read. */
const look = ({ root, cluster, versions }: Context, seen?: Map<string, string>): Promise<Disagreement[]> =>
  disagreements(cluster, versions, async (file) => {
    const text = await readIfThere(join(root, file));
    if (text !== undefined) seen?.set(file, text);
    return text;
  });

/** The diff of one file, in the form of `git diff`. */
async function diffOf({ file, before, after }: { file: string; before: string; after: string }): Promise<string[]> {
  const { structuredPatch } = await import("diff");
  const { hunks } = structuredPatch(file, file, before, after, undefined, undefined, { context: 1 });
  return [
    file,
    ...hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
      `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
      ...lines,
    ]),
  ];
}

await main(import.meta, configure);
