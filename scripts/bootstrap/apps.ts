// Deploys the releases that must run before Flux takes over, one after the other, with the same chart, version and values as Flux.
import { type Account, Failure, textOf } from "../lib/run/errors.ts";
import type { Release } from "../lib/kubernetes/helm.ts";
import type { ClusterAccess } from "../lib/kubernetes/access.ts";
import { main } from "../lib/run/procedure.ts";
import type { Step } from "../lib/run/plan.ts";
import { factsOf, type StageState, stage } from "../lib/bootstrap/stage.ts";
import { refuseUnplanned } from "../lib/run/sub.ts";
import type { Context } from "../lib/run/context.ts";
import { toAct } from "../lib/run/to-act.ts";

const { apiAnswers, observeCluster } = await toAct(() => import("../lib/bootstrap/api.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { isTransient: isTransientText } = await toAct(() => import("../lib/run/transient.ts"));
const { compareReleases, releases, wantedReleases } = await toAct(() => import("../lib/kubernetes/helm.ts"));
const { getAll } = await toAct(() => import("../lib/kubernetes/kubernetes.ts"));
const { expectOurCluster } = await toAct(() => import("../lib/kubernetes/access.ts"));
const { retry } = await toAct(() => import("../lib/run/retry.ts"));
const { until } = await toAct(() => import("../lib/run/wait.ts"));
const { readiness } = await toAct(() => import("../lib/kubernetes/node-readiness.ts"));

const HELMFILE = "bootstrap/helmfile.d/01-apps.yaml";
/** helmDefaults.timeout of the helmfile, plus a minute for the rest of helm's work. */
const HELM_TIMEOUT_MS = 11 * 60_000;
const TRIES = 4;

const look = async (access: ClusterAccess) =>
  compareReleases(await wantedReleases(HELMFILE), await releases(access), Date.now(), HELM_TIMEOUT_MS);

/** Nothing to do: the release is as wanted, or Flux manages it. */
const isSettled = ({ is }: Release) => is === "deployed" || is === "flux";

/** Another helm process works on it. Its state is read again when that process has ended. */
const isBusy = ({ is }: Release) => is === "pending" || is === "uninstalling";

/** The state of the releases, and the steps for those that are not deployed. Throws for an unknown status. */
export function seeReleases(found: Release[]): StageState<Release[]> {
  found.forEach(refuseUnknown);
  const left = found.filter((release) => !isSettled(release));
  const saw = `${found.length - left.length} of ${found.length} deployed${left.some(isBusy) ? ", helm is still at work" : ""}`;
  if (left.length === 0) return { state: "done", saw };
  const todo = left.map((release) => `${key(release)} ${release.version}: ${INTENT[release.is]}`);
  const removed = left.filter((release) => LOSS[release.is] !== undefined);
  return {
    state: left.length < found.length ? "partly" : "to do",
    saw,
    todo,
    steps: left.map(stepOf),
    ...(removed.length > 0 && {
      destroys: {
        what: removed.map((release) => `${key(release)}: ${LOSS[release.is]}`),
        name: removed.map(({ name }) => name).join(","),
      },
    }),
    facts: found,
  };
}

const key = ({ namespace, name }: Pick<Release, "namespace" | "name">) => `${namespace}/${name}`;

/** An install on top of an unknown status may do anything. */
function refuseUnknown(release: Release): void {
  if (release.is !== "unknown") return;
  throw new Failure({
    attempted: `install ${key(release)} ${release.version}`,
    said: `helm reports the status "${release.status}", which this version does not know`,
    now: "the release was not changed",
    next: `helm history ${release.name} --namespace ${release.namespace}`,
  });
}

/** A removal or rollback is a step of its own, and is done only if the plan named it. */
const stepOf = (release: Pick<Release, "is" | "namespace" | "name">): Step => {
  const destructive: Partial<Record<Release["is"], string>> = {
    stuck: "uninstall what a failed install left of",
    "half removed": "finish the uninstall of",
    halfway: "roll back",
  };
  const action = destructive[release.is];
  return action === undefined ? { action: "install", target: key(release) } : { action, target: key(release), destroys: true };
};

/** What cannot be undone, by state. */
const LOSS: Partial<Record<Release["is"], string>> = {
  stuck: "everything that its failed install created is uninstalled",
  "half removed": "its interrupted uninstall is finished",
  halfway: "its interrupted upgrade is rolled back",
};

const INTENT: Record<Release["is"], string> = {
  deployed: "nothing",
  absent: "install",
  outdated: "upgrade",
  failed: "install over the failed try",
  pending: "wait for the helm that installs or upgrades it, then look again",
  uninstalling: "wait for the helm that uninstalls it, then install it again (answer No if somebody removes it on purpose)",
  stuck: "the helm of its first install died: uninstall what it left, then install",
  "half removed": "the helm that uninstalled it died: finish the uninstall, then install it again",
  halfway: "the helm of its upgrade died: roll back to the revision before it, then upgrade",
  unknown: "nothing: its status is unknown",
  flux: "nothing: Flux manages it",
};

export const apps = stage<Release[]>({
  name: "bootstrap:apps",
  about: "install the releases that Flux needs",
  destroys: "what an interrupted install, upgrade or uninstall of a release left",
  async observe(context) {
    return observeCluster(context, "install what is missing, in the helmfile's order", async (access) => seeReleases(await look(access)));
  },
  ready: apiAnswers,
  async act(context, seen, planned) {
    const found = factsOf(apps, seen);
    const access = await expectOurCluster(context);
    for (const release of found) {
      if (!isSettled(release)) await install(release, context, access, planned);
      if (release.name === "cilium") await nodesReady(context, access);
    }
  },
});

/** Helm's error while another helm process works on the release, or seems to. */
const OTHER_AT_WORK = /another operation .*in progress/;

/** Deploys one release. Its state is read before each try, because another helm process may have started or ended. */
async function install(wanted: Release, context: Context, access: ClusterAccess, planned: readonly Step[]): Promise<void> {
  const { ui, signal } = context;
  const { name, namespace, version } = wanted;
  const isTransient = (error: unknown) => error instanceof NotInstalled && error.mayPass;
  await retry({ tries: TRIES, pauseMs: 2000, isTransient, signal }, async (attempt) => {
    const release = await settled(wanted, context, access);
    if (isSettled(release)) return;
    refuseUnknown(release);
    refuseUnplanned(apps, planned, [stepOf(release)]);
    const failed = (attempted: string) => ({ attempted, now: "the releases before it are deployed and stay", next: "task bootstrap:apps" });
    if (release.is === "halfway")
      await explained(
        failed(`roll ${namespace}/${name} back`),
        () => access.$({ timeout: "6m" })`helm rollback ${name} --namespace ${namespace} --wait --timeout 5m`,
      );
    if (release.is === "stuck" || release.is === "half removed")
      await explained(
        failed(`uninstall ${namespace}/${name}`),
        () => access.$({ timeout: "6m" })`helm uninstall ${name} --namespace ${namespace} --wait --timeout 5m`,
      );
    ui.progress(`installing ${name} ${version}${attempt > 1 ? `, try ${attempt} of ${TRIES}` : ""}`);
    const done = await access.$({ timeout: "15m" })`helmfile --file ${HELMFILE} --selector name=${name} sync --hide-notes`.nothrow();
    if (done.exitCode === 0) return;
    const said = textOf(done);
    throw new NotInstalled(
      { ...failed(`install ${namespace}/${name} ${version}`), said },
      isTransientText(said) || OTHER_AT_WORK.test(said),
    );
  });
}

/** A release that could not be installed. */
class NotInstalled extends Failure {
  /** Whether another try may succeed. */
  readonly mayPass: boolean;
  constructor(account: Account, mayPass: boolean) {
    super(account);
    this.mayPass = mayPass;
  }
}

/** Waits until no other helm process works on the release, and returns it. A killed run leaves its helm process running until it ends by itself. */
const settled = (wanted: Release, { ui, signal }: Context, access: ClusterAccess): Promise<Release> =>
  until<Release>(
    async () => {
      const [release] = compareReleases([wanted], await releases(access), Date.now(), HELM_TIMEOUT_MS);
      return isBusy(release!) ? { waiting: `${release!.status}` } : { ready: release! };
    },
    { for: `the helm that works on ${wanted.name}`, seconds: HELM_TIMEOUT_MS / 1000 + 60, ui, signal, next: "task bootstrap:apps" },
  );

/** With the CNI every node becomes Ready. If one does not, the next release would report it only after ten minutes. */
const nodesReady = ({ cluster, ui, signal }: Context, access: ClusterAccess) =>
  until(
    async () =>
      readiness(
        cluster.nodes.map(({ name }) => name),
        await getAll(access, "nodes"),
      ),
    {
      for: "every node to be Ready",
      seconds: 600,
      ui,
      signal,
      next: "kubectl --namespace kube-system get pods, then: task bootstrap:apps",
    },
  );

await main(import.meta, apps);
