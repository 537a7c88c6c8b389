// Waits until every node of cluster.yaml is registered in Kubernetes. They are not Ready yet, because the CNI is one of the apps.
import type { KubernetesObject } from "../lib/kubernetes/kubernetes.ts";
import { Failure } from "../lib/run/errors.ts";
import { main } from "../lib/run/procedure.ts";
import { type StageState, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { condition, getAll } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { observeCluster } = await toAct(() => import("../lib/bootstrap/api.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));

/** Compares the expected nodes with the registered ones, and names unexpected ones. Throws if all registered nodes are unexpected: that is another cluster. */
export function compareNodes(expected: string[], found: KubernetesObject[]): StageState {
  const names = found.map(({ metadata }) => metadata.name);
  const missing = expected.filter((name) => !names.includes(name));
  const strangers = names.filter((name) => !expected.includes(name));
  if (strangers.length > 0 && strangers.length === names.length)
    throw new Failure({
      attempted: "find this home's nodes in the cluster",
      said: `the API lists only nodes that talos/cluster.yaml does not have: ${strangers.join(", ")}`,
      now: "nothing was changed",
      next: "check $KUBECONFIG and the names in talos/cluster.yaml: another cluster may answer",
    });
  const ready = found.filter((node) => condition(node, "Ready")?.status === "True").length;
  const saw = [
    `${expected.length - missing.length} of ${expected.length} registered`,
    missing.length ? `missing ${missing.join(", ")}` : `${ready} Ready`,
    ...(strangers.length ? [`not in cluster.yaml: ${strangers.join(", ")}`] : []),
  ].join(", ");
  if (missing.length === 0) return { state: "done", saw };
  return {
    state: names.length ? "partly" : "to do",
    saw,
    todo: [`wait until ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} registered`],
  };
}

export const nodes = stage({
  name: "bootstrap:nodes",
  about: "wait until every node is registered in Kubernetes",
  async observe(context) {
    return observeCluster(context, "wait until every node is registered", async (access) =>
      compareNodes(
        context.cluster.nodes.map(({ name }) => name),
        await getAll(access, "nodes"),
      ),
    );
  },
  async act(context) {
    await until(
      async () => {
        const seen = await this.observe(context);
        return seen.state === "done" ? { ready: seen } : { waiting: seen.saw };
      },
      {
        for: "every node to register",
        seconds: 600,
        ui: context.ui,
        signal: context.signal,
        next: "task talos:status shows what each node is doing; then: task bootstrap:nodes",
      },
    );
  },
});

await main(import.meta, nodes);
