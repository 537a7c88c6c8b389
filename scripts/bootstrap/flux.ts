// Waits until Flux has fetched the repository and everything in it is ready. From then on, changes to the cluster come from Git.
import { Failure } from "../lib/run/errors.ts";
import type { Context } from "../lib/run/context.ts";
import type { FluxState, Source } from "../lib/flux/flux.ts";
import { gitGate, pushedBelow } from "../lib/flux/git.ts";
import { main } from "../lib/run/procedure.ts";
import { type StageState, stage } from "../lib/bootstrap/stage.ts";
import { toAct } from "../lib/run/to-act.ts";

const { observeCluster } = await toAct(() => import("../lib/bootstrap/api.ts"));
const { waitingForVault } = await toAct(() => import("../lib/flux/external-secrets.ts"));
const { fluxState, lacks, needsReconcile, reconcile } = await toAct(() => import("../lib/flux/flux.ts"));
const { passing } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { repositoryOf } = await toAct(() => import("../lib/bootstrap/preflight/git.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));

/** A first install pulls every image and prepares Ceph's disks. The stage gives up only if nothing has become ready for this long. */
const PATIENCE = 20 * 60;
const AT_MOST = 90 * 60;

/** The source that Flux must follow: the home's repository, at the pushed commit. */
export interface Followed {
  url: string;
  head?: string | undefined;
  /** Why the pushed commit is unknown, where it is. */
  unknown?: string | undefined;
  /** Why the stage stops, unless WAIVE=git is given: the remote did not answer, or something is not pushed. */
  hindrance?: string | undefined;
}

/** What the stage did about a pushed commit that is unknown. */
export interface Requested {
  /** The time of its request to fetch and apply; undefined if Flux had fetched nothing before, so that its first fetch is as new. */
  at?: string | undefined;
}

/** The state of Flux. While the pushed commit is unknown, only a fetch that this run requested proves that Flux has it. Throws if it follows another repository: anyone who can push there controls the cluster. */
export function seeFlux(state: FluxState | undefined, { url, head, unknown, hindrance }: Followed, requested?: Requested): StageState {
  const todo = ["wait until Flux has applied what was pushed and everything is ready"];
  if (!state || state.total === 0) return { state: "to do", saw: "not installed", todo };
  const { source } = state;
  if (source && repositoryOf(source.url) !== repositoryOf(url))
    throw new Failure({
      attempted: "wait for Flux",
      said: `Flux follows ${source.url}, talos/cluster.yaml says ${url} (git.url)`,
      now: "nothing was changed",
      next: "task configure, then commit and push to the repository that Flux follows",
    });
  const saw = `${state.ready}/${state.total} ready`;
  const lacking = lacks(source, head, requested?.at);
  const why = [...(head === undefined && hindrance ? [hindrance] : []), ...(lacking === undefined ? [] : [lacking]), ...state.waiting];
  if (state.ready < state.total || state.total < 2 || why.length > 0) return { state: "partly", saw: [saw, ...why].join("\n"), todo };
  if (head !== undefined || requested !== undefined) return { state: "done", saw };
  return { state: "unknown", saw: `${saw}\nit is unknown whether Flux has what was pushed: ${unknown ?? "no commit is known"}`, todo };
}

/** The commit that Flux should have, or why it is unknown or incomplete. */
async function lookAtPushed({ cluster, waive }: Pick<Context, "cluster" | "waive">): Promise<Followed> {
  const pushed = await pushedBelow("kubernetes");
  const { url } = cluster.git;
  const waived = waive.includes("git");
  if ("unknown" in pushed)
    return { url, unknown: pushed.unknown, ...(!waived && { hindrance: `it is unknown what was pushed: ${pushed.unknown}` }) };
  const { head, here, unreachable } = pushed;
  const hindrance = unreachable === undefined ? here.join("\n") : `the remote cannot be reached: ${unreachable}`;
  return { url, head, ...(!waived && hindrance && { hindrance }) };
}

export const flux = stage<unknown, Requested>({
  name: "bootstrap:flux",
  about: "wait until Flux has applied what was pushed and everything is ready",
  gates: [gitGate],
  async observe(context, requested) {
    return observeCluster(context, "wait for Flux", async (access) => {
      const [state, followed] = await Promise.all([fluxState(access), lookAtPushed(context)]);
      return seeFlux(state, followed, requested);
    });
  },
  async act(context) {
    const { ui, signal } = context;
    const access = await expectOurCluster(context);
    const followed = await lookAtPushed(context);
    if (followed.hindrance)
      throw new Failure({
        attempted: "wait until Flux has applied what was pushed",
        said: followed.hindrance,
        now: "nothing was changed",
        next: "task bootstrap:preflight, then: task bootstrap:flux; WAIVE=git skips this check",
      });
    let requested: Requested | undefined;
    let refused: unknown;
    const request = async (source: Source): Promise<Requested> => {
      if (!needsReconcile(source, followed.head)) return {};
      try {
        return { at: await reconcile(access) }; // its interval may be an hour
      } catch (error) {
        refused = error;
        throw error;
      }
    };
    let last = "nothing was seen";
    try {
      await until(
        async () => {
          const state = await fluxState(access).catch(passing);
          if (!state) return { waiting: "Flux does not answer" };
          if (state.source) requested ??= await request(state.source);
          const seen = seeFlux(state, followed, requested);
          last = seen.saw;
          return seen.state === "done" ? { ready: seen } : { waiting: seen.saw.split("\n").slice(0, 2).join("; "), progress: state.ready };
        },
        { for: "Flux", seconds: PATIENCE, atMost: AT_MOST, ui, signal },
      );
    } catch (error) {
      if (!(error instanceof Failure) || error === refused) throw error;
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
    return requested;
  },
});

await main(import.meta, flux);
