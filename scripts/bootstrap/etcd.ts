// Bootstraps etcd on one control plane, once, and waits until all are voting members.
import type { Node } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/run/context.ts";
import { Failure, textOf } from "../lib/run/errors.ts";
import { describeStep, type Step, unplanned } from "../lib/run/plan.ts";
import { main } from "../lib/run/procedure.ts";
import { type StageState, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { askEtcd, bootstrapStep, etcdState } = await toAct(() => import("../lib/talos/etcd.ts"));
const { talosArgs } = await toAct(() => import("../lib/talos/node.ts"));
const { expectOurTalosconfig } = await toAct(() => import("../lib/talos/talosconfig.ts"));
const { isTransient } = await toAct(() => import("../lib/run/transient.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));

/** Errors of a node that is still starting. */
const STARTING = /bootstrap is not available yet|time is not in sync yet/;
const ALREADY = /code = AlreadyExists/;

const look = async (context: Context) =>
  etcdState(
    context.cluster.nodes.map(({ name }) => name),
    await askEtcd(context, context.cluster.nodes),
  );

export const etcd = stage({
  name: "bootstrap:etcd",
  about: "bootstrap etcd on one control plane and wait for all members",
  async observe(context) {
    await expectOurTalosconfig(context);
    return look(context);
  },
  async act(context, _seen, planned) {
    const { cluster, ui, signal } = context;
    const first = cluster.nodes[0]!;
    const seen = await until<StageState>(
      async () => {
        const now = await look(context);
        return now.state === "unknown" ? { waiting: now.saw } : { ready: now };
      },
      {
        for: "every control plane to answer",
        seconds: 600,
        ui,
        signal,
        next: "task talos:status; bootstrapping while a node cannot be asked could make a second cluster",
      },
    );
    if (seen.state === "to do") {
      refuseSecondEtcd(first.name, planned);
      await until(() => tryBootstrap(first, context), {
        for: `etcd to be bootstrapped on ${first.name}`,
        seconds: 600,
        ui,
        signal,
        next: "task bootstrap:etcd",
      });
    }
    await until(
      async () => {
        const now = await look(context);
        return now.state === "done" ? { ready: now } : { waiting: now.saw };
      },
      { for: `${cluster.nodes.length} etcd members`, seconds: 600, ui, signal, next: "task talos:status, then: task bootstrap:etcd" },
    );
  },
});

/** If the plan saw members, this stage only waits for the others. If all members are gone now, their data is lost, and a new etcd would be an empty cluster. */
function refuseSecondEtcd(node: string, planned: readonly Step[]): void {
  const step = bootstrapStep(node);
  const named = [step, { action: "run", target: "bootstrap:etcd" }]; // the second case: the plan could not read etcd at all
  if (unplanned(planned, named).length < named.length) return;
  throw new Failure({
    attempted: "continue bootstrap:etcd: the plan did not name this",
    said: describeStep(step),
    now: "etcd had members when the plan was made, and no node has etcd now; nothing was changed",
    next: "task talos:status; only if the cluster may start empty: task bootstrap:etcd",
  });
}

async function tryBootstrap(node: Node, context: Context): Promise<{ ready: true } | { waiting: string }> {
  const now = await look(context); // on every try: a reply may have been lost
  if (now.state === "unknown") return { waiting: now.saw };
  if (now.state !== "to do") return { ready: true };
  const done = await $({
    timeout: "1m",
  })`talosctl ${await talosArgs(context, node)} bootstrap`.nothrow();
  const said = textOf(done);
  if (done.exitCode === 0 || ALREADY.test(said)) return { ready: true }; // "already" may come from old data on a half-wiped disk: the list of members decides
  if (STARTING.test(said) || isTransient(said)) return { waiting: said };
  throw new Failure({ attempted: `bootstrap etcd on ${node.address}`, said, now: "no node has etcd", next: "task bootstrap:etcd" });
}

await main(import.meta, etcd);
