// Two homes: the one of this repository, which a fork has made its own, and the tree as it was for the reference home, for exact expectations.
import type { Cluster } from "../../../scripts/lib/cluster/cluster.ts";
import { loadCluster } from "../../../scripts/lib/cluster/load.ts";
import { disagreements, type Reader, settle } from "../../../scripts/lib/tree/agreement.ts";
import { testCluster, testVersions } from "../test-cluster.ts";
import { exists, read, ROOT } from "./tree.ts";

/** What talos/cluster.yaml says here. */
export const ourHome = (): Cluster => loadCluster(ROOT, () => {});

/** The files of the tree as they stand. */
export const ourTree: Reader = async (file) => (exists(file) ? read(file) : undefined);

/** The files of the tree, brought in step with `testCluster()`. */
export async function referenceTree(): Promise<Reader> {
  const found = await disagreements(testCluster(), testVersions, ourTree);
  return async (file) => {
    const text = await ourTree(file);
    return text === undefined
      ? undefined
      : settle(
          text,
          found.filter((one) => one.file === file),
        );
  };
}
