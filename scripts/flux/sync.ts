// Has Flux fetch and apply what was pushed, and waits until it has: the revision of the last push, everything ready.
import { Failure } from "../lib/run/errors.ts";
import type { FluxState } from "../lib/flux/flux.ts";
import { gitGate, pushedBelow } from "../lib/flux/git.ts";
import type { Plan } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";

const { fluxState, lacks, reconcile } = await toAct(() => import("../lib/flux/flux.ts"));
const { passing } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));

const SECONDS = 15 * 60;

export const sync = procedure({
  name: "flux:sync",
  about: "let Flux apply what was pushed, and wait until it is ready",
  options: {},
  gates: [gitGate],
  async run(_values, context) {
    const { signal, root, ui } = context;
    $.cwd = root;
    const { head, access } = await context.confirm(async () => {
      const pushed = refuseUnpushed(await pushedBelow("kubernetes"), context.waive);
      return { ...planSync(pushed), access: await expectOurCluster(context) };
    });
    const at = await reconcile(access);
    let last = "nothing was seen";
    await until(
      async () => {
        const seen = await fluxState(access).then((state) => verdict(head, state, at), passing);
        if (seen && "ready" in seen) return { ready: seen };
        last = seen?.waiting ?? "the API does not answer";
        return { waiting: last.split("\n").slice(0, 2).join("; ") };
      },
      {
        for: "Flux",
        seconds: SECONDS,
        ui,
        signal,
        next: "flux get all --all-namespaces --status-selector ready=false; then: task flux:sync",
      },
    );
    ui.say(`Flux applied ${head?.slice(0, 12) ?? "what was pushed"}: everything is ready`);
  },
});

/** The pushed head, where it is known. Throws when the working tree has what Flux cannot see, unless that was waived. */
function refuseUnpushed(pushed: Awaited<ReturnType<typeof pushedBelow>>, waive: readonly string[]): string | undefined {
  const why = "unknown" in pushed ? `it is unknown what was pushed: ${pushed.unknown}` : pushed.here.join("\n");
  if (why && !waive.includes("git"))
    throw new Failure({
      attempted: "sync: kubernetes/ has uncommitted or unpushed changes",
      said: why,
      now: "nothing was changed",
      next: "commit and push, then: task flux:sync; WAIVE=git syncs what is pushed",
    });
  return "head" in pushed ? pushed.head : undefined;
}

/** Another head after the question is another plan. */
const planSync = (head: string | undefined): Plan & { head: string | undefined } => {
  const what = head?.slice(0, 12) ?? "what was pushed";
  return {
    title: "flux:sync",
    lines: [`reconcile ${what}, and wait until everything is ready`],
    steps: [{ action: "reconcile", target: what }],
    head,
  };
};

/** Whether Flux has handled the request of `at`, and everything that reads the repository is at its revision and ready; else the first thing that is not. */
export function verdict(head: string | undefined, state: FluxState | undefined, at?: string): { ready: true } | { waiting: string } {
  if (!state) return { waiting: "Flux is not installed" };
  const lacking = lacks(state.source, head, at);
  if (lacking !== undefined) return { waiting: lacking };
  return state.ready < state.total ? { waiting: state.waiting.join("\n") } : { ready: true };
}

await main(import.meta, sync);
