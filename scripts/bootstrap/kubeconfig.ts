// Makes sure that $KUBECONFIG belongs to this cluster and that the API answers.
import { Failure } from "../lib/run/errors.ts";
import { main } from "../lib/run/procedure.ts";
import { stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { readIfThere, writeFile } = await toAct(() => import("../lib/run/files.ts"));
const { reachCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));
const { foreignKubeconfig, lookForKubeconfig } = await toAct(() => import("../lib/talos/kubeconfig.ts"));

export const kubeconfig = stage({
  name: "bootstrap:kubeconfig",
  about: "write $KUBECONFIG and wait for the Kubernetes API",
  async observe(context) {
    const { env, cluster } = context;
    const todo = [`write ${env.KUBECONFIG} (mode 0600), then wait for ${cluster.endpoint.url}`];
    const stranger = await foreignKubeconfig(context);
    if (stranger) {
      const next = "move it away or set KUBECONFIG, then: task bootstrap:kubeconfig";
      throw new Failure({ attempted: `use ${env.KUBECONFIG} for ${cluster.name}`, said: stranger, now: "it was left as it is", next });
    }
    if (!(await readIfThere(env.KUBECONFIG!))?.trim()) return { state: "to do", saw: `there is no ${env.KUBECONFIG}`, todo };
    const api = await reachCluster(context);
    return "ready" in api
      ? { state: "done", saw: `${cluster.endpoint.url} answers` }
      : { state: "partly", saw: `the API does not answer: ${api.waiting}`, todo };
  },
  async act(context) {
    const { env, cluster, ui, signal } = context;
    const patience = { ui, signal, next: "task talos:status, then: task bootstrap:kubeconfig" };
    const text = await until(() => lookForKubeconfig(context), {
      for: "a control plane to give the kubeconfig",
      seconds: 300,
      ...patience,
    });
    await writeFile(env.KUBECONFIG!, text, { mode: 0o600 });
    await until(() => reachCluster(context), { for: `the Kubernetes API on ${cluster.endpoint.url}`, seconds: 600, ...patience });
  },
});

await main(import.meta, kubeconfig);
