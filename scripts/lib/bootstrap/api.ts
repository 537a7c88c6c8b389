// The Kubernetes API for the stages: observing the cluster, and waiting until the API answers.
import { type ClusterAccess, reachCluster } from "../kubernetes/access.ts";
import type { Context } from "../run/context.ts";
import { until } from "../run/wait.ts";
import type { StageState } from "./stage.ts";

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

/** Observes the cluster. While the API does not answer, the state is unknown, and `todo` is what the stage will do about it. */
export async function observeCluster<F>(
  context: Context,
  todo: string,
  observe: (access: ClusterAccess) => Promise<StageState<F>>,
): Promise<StageState<F>> {
  const api = await reachCluster(context);
  if ("waiting" in api) return { state: "unknown", saw: `the API does not answer: ${api.waiting}`, todo: [todo] };
  return observe(api.ready);
}
