// How long three machine configs take in one process, the templates compiled and the vault known.
import { loadCluster } from "../../scripts/lib/cluster/load.ts";
import { renderNode } from "../../scripts/lib/talos/render.ts";
import { loadVersions } from "../../scripts/lib/cluster/versions.ts";

export async function renderThree(times: number): Promise<number[]> {
  const root = process.cwd();
  const versions = loadVersions(root, {});
  const cluster = loadCluster(root, () => {});
  const vault = {
    resolve: async (references: Iterable<string>) => new Map([...references].map((reference) => [reference, `value of ${reference}`])),
  };
  const once = async () => {
    const began = performance.now();
    for (const node of cluster.nodes) await renderNode({ root, cluster, versions, vault }, node);
    return performance.now() - began;
  };
  const taken = [];
  for (let i = 0; i < times; i += 1) taken.push(await once());
  return taken;
}
