import type { Versions } from "../versions.ts";
import type { Cluster } from "./cluster.ts";

/** Reads and checks `<root>/talos/cluster.yaml`; throws one UsageError with everything that is wrong; warnings go to `warn`. */
export function loadCluster(_root: string, _versions: Versions, _warn: (line: string) => void): Cluster {
  throw new Error("not written yet");
}
