// Reads versions.env and talos/cluster.yaml together, so that one run reports the problems of both.
import { UsageError } from "../run/errors.ts";
import { loadVersions, type Versions } from "./versions.ts";
import type { Cluster } from "./cluster.ts";
import { loadCluster } from "./load.ts";

/** Throws one UsageError with a line per problem in either file; warnings go to `warn`. */
export function readHome(root: string, env: NodeJS.ProcessEnv, warn: (line: string) => void): { versions: Versions; cluster: Cluster } {
  const wrong: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.push(error.message);
      return undefined;
    }
  };
  const versions = attempt(() => loadVersions(root, env, warn));
  const cluster = attempt(() => loadCluster(root, warn));
  if (!versions || !cluster) throw new UsageError(wrong.join("\n"));
  return { versions, cluster };
}
