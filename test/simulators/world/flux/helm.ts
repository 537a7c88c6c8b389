// helm-controller: installs what a HelmRelease asks for, or takes over a release that is there already.
import { isReadyNow, isRequested, nameOf, ready, same, secondsOf } from "./status.ts";
import { artifactOf } from "../charts/artifact.ts";
import { chartName } from "../charts/cluster-charts.ts";
import { type Step, PACE } from "../cluster/nodes.ts";
import { finalize, inventoryOf, isDeleted, keepUntilFinalized } from "./inventory.ts";
import {
  cannotInstall,
  hindrance,
  install,
  isAvailable,
  objectsOf,
  releaseAt,
  uninstall,
  workloadsOf,
} from "../charts/cluster-releases.ts";
import { digestOf, entriesOf, entryAt } from "../cluster/store.ts";
import type { ClusterState, Entry } from "../cluster/state.ts";

export const helmSteps = (state: Readonly<ClusterState>): Step[] =>
  entriesOf(state, "helmreleases.helm.toolkit.fluxcd.io").flatMap((entry) => {
    const apply = isDeleted(entry) ? goodbye(entry) : entry.object.spec.suspend === true ? undefined : next(state, entry);
    return apply ? [{ at: entry.at + PACE.release, what: `HelmRelease ${nameOf(entry)}`, apply }] : [];
  });

const CONTROLLER = "helm-controller";

const releaseOf = ({ object: { metadata, spec } }: Entry) => ({
  namespace: metadata.namespace!,
  name: (spec.releaseName ?? metadata.name) as string,
});

/** A deleted HelmRelease takes its release away, unless it is suspended. */
function goodbye(entry: Entry): (state: ClusterState, now: number) => void {
  return (state, now) => {
    const { namespace, name } = releaseOf(entry);
    const release = releaseAt(state, namespace, name);
    if (release && entry.object.spec.suspend !== true) uninstall(state, release, now);
    finalize(state, entry, now, CONTROLLER);
  };
}

function next(state: Readonly<ClusterState>, entry: Entry): ((state: ClusterState, now: number) => void) | undefined {
  const { spec } = entry.object;
  const { namespace, name } = releaseOf(entry);
  if (spec.chartRef?.kind !== "OCIRepository")
    return ready(entry, "False", "Untaught", "the simulated home was taught HelmReleases with a chartRef to an OCIRepository only");
  for (const { name, namespace: other = namespace } of spec.dependsOn ?? []) {
    if (!isReadyNow(entryAt(state, "helmreleases.helm.toolkit.fluxcd.io", other, name)))
      return ready(entry, "False", "DependencyNotReady", `dependency '${other}/${name}' is not ready`);
  }
  const source = entryAt(state, "ocirepositories.source.toolkit.fluxcd.io", spec.chartRef.namespace ?? namespace, spec.chartRef.name);
  if (!source || !isReadyNow(source))
    return ready(
      entry,
      "False",
      "SourceNotReady",
      `OCIRepository '${spec.chartRef.namespace ?? namespace}/${spec.chartRef.name}' is not ready`,
    );

  const { url, ref } = source.object.spec;
  const wanted = { name, namespace, url, version: versionWithDigest(url, String(ref?.tag ?? "latest")), values: spec.values ?? {} };
  const chart = `${chartName(url)}@${wanted.version}`;
  const want = digestOf(JSON.stringify([url, wanted.version, wanted.values]));
  const release = releaseAt(state, namespace, name);
  const action = (release?.history.length ?? 0) > 1 || (release && entry.applied === undefined) ? "upgrade" : "install";
  const Action = action === "install" ? "Install" : "Upgrade";
  const failed = (why: string) =>
    ready(entry, "False", `${Action}Failed`, `Helm ${action} failed for release ${namespace}/${name} with chart ${chart}: ${why}`);

  // a release that somebody took away is not missed before the next look
  if (!release && entry.applied === want && !isRequested(entry)) return undefined;
  if (entry.applied !== want || isRequested(entry)) {
    if (release && /^(pending|uninstalling)/.test(release.status))
      return failed("another operation (install/upgrade/rollback) is in progress");
    const refused = cannotInstall(state, wanted);
    if (refused) return failed(refused);
    if (entry.applied !== want || !release) {
      return (state, now) => {
        install(state, wanted, now);
        keepUntilFinalized(state, same(state, entry), now, CONTROLLER);
        const at = same(state, entry);
        at.applied = want;
        ready(at, "Unknown", "Progressing", `Running '${action}' action with timeout of 5m0s`)?.(state, now);
      };
    }
  }
  const waiting = workloadsOf(state, name, namespace).find((one) => !isAvailable(one));
  if (waiting)
    return hindrance(state, waiting)
      ? failed(`resource ${waiting.object.kind}/${namespace}/${waiting.object.metadata.name} not ready. status: InProgress`)
      : undefined;
  // what was said of it stays: helm, while it takes a release away, leaves fewer and fewer revisions to see
  if (entry.applied === want && isReadyNow(entry) && !isRequested(entry)) return undefined;
  const done = `${namespace}/${name}.v${release?.revision ?? 1}`;
  return ready(entry, "True", `${Action}Succeeded`, `Helm ${action} succeeded for release ${done} with chart ${chart}`, () => ({
    inventory: { entries: inventoryOf(state, release ? objectsOf(release) : []) },
    history: [
      {
        name,
        namespace,
        version: release?.revision ?? 1,
        status: "deployed",
        chartName: chartName(url),
        chartVersion: wanted.version,
        digest: `sha256:${want}`,
        configDigest: `sha256:${digestOf(JSON.stringify(wanted.values))}`,
        firstDeployed: secondsOf(release!.history[0]!.updated),
        lastDeployed: secondsOf(release!.updated),
      },
    ],
  }));
}

/** As helm-controller writes a chart's version down: without a leading v, and with the artifact's digest behind it, so that it sees a tag that was moved. */
const versionWithDigest = (url: string, tag: string) =>
  `${tag.replace(/^v/, "")}+${artifactOf(url, tag).digest.slice("sha256:".length).slice(0, 12)}`;
