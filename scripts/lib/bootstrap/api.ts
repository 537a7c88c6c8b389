// Waits for the Kubernetes API before a stage reads the cluster.
import { reachCluster } from "../kubernetes/access.ts";
import type { Context } from "../run/context.ts";
import { until } from "../run/wait.ts";

const SECONDS = 120;

/** Returns when the API answers. The stage then reads the state again, so that it acts only on what it read. */
export async function apiAnswers(context: Context): Promise<void> {
  const { cluster, ui, signal } = context;
  await until(() => reachCluster(context), {
    for: `the Kubernetes API on ${cluster.endpoint.url}`,
    seconds: SECONDS,
    ui,
    signal,
    next: "task bootstrap:kubeconfig",
  });
}
