// Flux has fetched the repository and everything in it is ready. From here on Git is what changes the cluster.
import { Failure } from "../lib/errors.ts";
import { waitingForVault } from "../lib/external-secrets.ts";
import { type FluxState, fluxState } from "../lib/flux.ts";
import { passing } from "../lib/kubernetes.ts";
import { expectOurCluster, reachCluster } from "../lib/kubernetes/access.ts";
import { main } from "../lib/procedure.ts";
import { type Seen, stage } from "../lib/stage.ts";
import { until } from "../lib/wait.ts";

/** A first install pulls every image and makes Ceph's disks: it is given up when nothing became ready for this long, not when it is merely slow. */
const PATIENCE = 20 * 60;
const AT_MOST = 90 * 60;

/** A Flux that has nothing but its own instance has not looked into the repository yet. */
export function seeFlux(state: FluxState | undefined): Seen {
  const todo = ["wait until everything that Flux applies is ready"];
  if (!state || state.total === 0) return { state: "to do", saw: "not installed", todo };
  const saw = `${state.ready}/${state.total} ready`;
  return state.ready === state.total && state.total > 1
    ? { state: "done", saw }
    : { state: "partly", saw: [saw, ...state.waiting].join("\n"), todo };
}

export const flux = stage({
  name: "bootstrap:flux",
  about: "wait until everything that Flux applies is ready",
  async observe(context) {
    const api = await reachCluster(context);
    if ("waiting" in api) return { state: "unknown", saw: `the API does not answer: ${api.waiting}`, todo: ["wait for Flux"] };
    return seeFlux(await fluxState(api.ready));
  },
  async act(context) {
    const { ui, signal } = context;
    const access = await expectOurCluster(context);
    let last = "nothing was seen";
    try {
      await until(
        async () => {
          const state = await fluxState(access).catch(passing);
          if (!state) return { waiting: "Flux does not answer" };
          const seen = seeFlux(state);
          last = seen.saw;
          return seen.state === "done" ? { ready: seen } : { waiting: seen.saw.split("\n").slice(0, 2).join("; "), far: state.ready };
        },
        { for: "Flux", seconds: PATIENCE, atMost: AT_MOST, ui, signal },
      );
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const missing = (await waitingForVault(access).catch(passing)) ?? [];
      throw new Failure({
        attempted: `see everything ready: nothing became ready for ${PATIENCE / 60} minutes, or it took more than ${AT_MOST / 60}`,
        said: [
          ...(missing.length > 0 ? ["only a person can put these into the vault:", ...missing, "with what depends on them:"] : []),
          last,
        ].join("\n"),
        now: "Flux goes on trying",
        next:
          missing.length > 0
            ? "task secrets:check names the fields; put them into the vault, then: task bootstrap:flux"
            : "flux get all --all-namespaces --status-selector ready=false; then: task bootstrap:flux",
      });
    }
  },
});

await main(import.meta, flux);
