// Builds the real tools that tests run: those that are not built yet, and that nobody has installed (REAL_TOOLS). Go modules are all that it fetches.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../scripts/lib/run/errors.ts";
import { main, procedure } from "../../scripts/lib/run/procedure.ts";
import { toAct } from "../../scripts/lib/run/to-act.ts";

const { effect } = await toAct(() => import("../../scripts/lib/run/effects.ts"));
const { buildMissing, linkAll, prune } = await toAct(() => import("./missing.ts"));
const { cacheFolder, placesOf } = await toAct(() => import("./cache.ts"));
const { compile, removeDrafts } = await toAct(() => import("./compile.ts"));
const { readTable } = await toAct(() => import("./table.ts"));

export const build = procedure({
  name: "tools:build",
  about: "build the real tools that tests run, from source",
  cluster: false,
  npmScript: true,
  scope: "none",
  options: {},
  async run(_values, { root, ui, env, dryRun, signal }) {
    const cache = cacheFolder(env);
    const places = placesOf(readTable(root), env);
    const missing = places.filter(({ binary }) => !existsSync(binary)).map(({ tool }) => `build ${tool.name} ${tool.version}`);
    if (dryRun)
      return void (await ui.confirm({ title: `tools:build into ${cache}`, lines: missing.length ? missing : ["nothing is missing"] }));
    const built = join(cache, "built");
    await effect("file", `fill ${built}`, async () => {
      await mkdir(built, { recursive: true });
      await removeDrafts(built);
      const failed = await buildMissing(places, {
        compile: (place) => compile(place, env, signal),
        say: ui.say,
        now: () => performance.now(),
      });
      if (failed.size) throw new Failure({ attempted: "build all tools", said: told(failed), next: "npm run tools:build" });
      const bin = await linkAll(places, cache);
      await prune(places, cache, new Date());
      ui.result(Object.fromEntries(places.map(({ tool, binary }) => [tool.name, binary])), bin);
    });
  },
});

/** A line for each trouble, with the tools that met it. */
const told = (failed: Map<string, string[]>) => [...failed].map(([line, tools]) => `${tools.sort().join(", ")}: ${line}`).join("\n");

await main(import.meta, build);
