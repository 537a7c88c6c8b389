// Forking means editing talos/cluster.yaml; this carries the few values that Flux must read as well into the files where they stand.
import { join } from "node:path";
import { Failure } from "../lib/errors.ts";
import { readIfThere, writeFile } from "../lib/files.ts";
import { disagreements, inWords, settle } from "../lib/gitops/agreement.ts";
import { main, procedure } from "../lib/procedure.ts";

export const fluxSettings = procedure({
  name: "flux:settings",
  about: "write what talos/cluster.yaml says into kubernetes/ where it stands",
  options: {},
  async run(_values, { root, cluster, ui }) {
    const seen = new Map<string, string | undefined>();
    const read = async (file: string) => {
      const text = await readIfThere(join(root, file));
      seen.set(file, text);
      return text;
    };
    const found = await disagreements(cluster, read);
    if (found.length === 0) return ui.say("kubernetes/ agrees with talos/cluster.yaml");

    await ui.confirm({
      title: `flux:settings: ${found.length} ${found.length === 1 ? "value" : "values"} in kubernetes/`,
      lines: found.map(({ file, line, field, has, wants }) => `${file}:${line} ${field}: ${has} → ${wants}`),
    });
    for (const file of new Set(found.map((one) => one.file))) {
      const text = seen.get(file)!;
      if ((await readIfThere(join(root, file))) !== text) {
        throw new Failure({
          attempted: `write ${file}`,
          said: "it was changed while the question was open",
          now: "its change is kept",
          next: "task flux:settings",
        });
      }
      await writeFile(
        join(root, file),
        await settle(
          text,
          found.filter((one) => one.file === file),
        ),
      );
    }

    const left = await disagreements(cluster, read);
    if (left.length > 0)
      throw new Failure({
        attempted: "carry talos/cluster.yaml into kubernetes/",
        said: left.map(inWords).join("\n"),
        now: "the files above still differ",
        next: "edit them by hand",
      });
    ui.say(`wrote ${found.length} ${found.length === 1 ? "value" : "values"}; Flux sees them once they are committed and pushed`);
  },
});

await main(import.meta, fluxSettings);
