// The stub charts of the home as folders, installed by the real helm as helmfile has it do.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { worldRepository } from "../../lab/simulators/cluster/cluster-world.ts";
import { type HelmfileRelease, readHelmfile } from "../../simulators/cli/helmfile/state.ts";
import { chartFiles } from "../../simulators/world/charts/files.ts";
import { chartName } from "../../simulators/world/charts/cluster-charts.ts";
import type { Ran, RealCluster } from "./real-cluster.ts";

/** The releases of a helmfile of the worlds' repository, with their values. */
export const releasesOf = (file: string): Promise<HelmfileRelease[]> =>
  readHelmfile(
    { read: async (path: string) => readFileSync(resolve(worldRepository(), path), "utf8") } as Parameters<typeof readHelmfile>[0],
    file,
  );

/** `helm upgrade --install` of a release from its stub chart, until what it runs is there. */
export function upgrade(home: RealCluster, { name, namespace, chart, version, values }: Omit<HelmfileRelease, "needs">): Promise<Ran> {
  const folder = join(home.folder, "charts", `${chartName(chart)}-${version}`);
  for (const [path, text] of Object.entries(chartFiles(chart, version))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const waits = ["--wait", "--wait-for-jobs", "--timeout", "120s"];
  const words = ["--namespace", namespace, "--values", "-", "--reset-values", "--force-conflicts", "--cleanup-on-fail", "--hide-notes"];
  return home.run("helm", ["upgrade", "--install", name, folder, ...waits, ...words], JSON.stringify(values));
}
