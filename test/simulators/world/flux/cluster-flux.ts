// Flux: its operator installs it, it fetches the repository, and its controllers bring every source, Kustomization and HelmRelease to where its inputs allow, as steps.
import { artifactOf } from "../charts/artifact.ts";
import { workloadOf } from "../charts/objects.ts";
import { FLUX } from "../charts/cluster-charts.ts";
import { externalSecretSteps } from "../cluster/external-secrets.ts";
import { helmSteps } from "./helm.ts";
import { kustomizationSteps } from "./kustomize.ts";
import { type Around, artifactOfSource, isReadyNow, isRequested, nameOf, ready } from "./status.ts";
import { type Step, PACE } from "../cluster/nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, entryAt, storeOf } from "../cluster/store.ts";
import type { ClusterState, Entry } from "../cluster/state.ts";

const PARTS = ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];

export function fluxSteps(state: Readonly<ClusterState>, around: Around): Step[] {
  const instance = entriesOf(state, "fluxinstances.fluxcd.controlplane.io")[0];
  if (!instance) return [];
  const { namespace = "" } = instance.object.metadata;
  const steps: Step[] = [];
  if (runs(state, "Deployment/flux-operator", namespace)) steps.push(...instanceSteps(state, instance, namespace));
  if (runs(state, "Deployment/source-controller", namespace)) steps.push(...gitSteps(state, around), ...ociSteps(state, around));
  if (runs(state, "Deployment/kustomize-controller", namespace)) steps.push(...kustomizationSteps(state, around));
  if (runs(state, "Deployment/helm-controller", namespace)) steps.push(...helmSteps(state));
  return [...steps, ...externalSecretSteps(state, around)];
}

function instanceSteps(state: Readonly<ClusterState>, entry: Entry, namespace: string): Step[] {
  const missing = PARTS.filter((name) => !entryAt(state, "deployments.apps", namespace, name));
  if (missing.length > 0) {
    return [
      {
        at: entry.at + PACE.reconcile,
        what: "flux-operator installs Flux",
        apply(state, now) {
          const store = storeOf(state, now, "flux-operator");
          const labels = { "app.kubernetes.io/managed-by": "flux-operator", "app.kubernetes.io/part-of": "flux" };
          for (const object of [...FLUX, ...PARTS.map((name) => workloadOf(`Deployment/${name}`, namespace, "flux", labels))])
            store.apply(object);
        },
      },
    ];
  }
  if (!PARTS.every((name) => runs(state, `Deployment/${name}`, namespace))) {
    const waits = ready(entry, "Unknown", "Progressing", "Reconciliation in progress");
    return waits ? [{ at: entry.at, what: "FluxInstance is progressing", apply: waits }] : [];
  }
  const done = ready(entry, "True", "ReconciliationSucceeded", "Reconciliation finished in 12s");
  return done
    ? [
        {
          at: entry.at + PACE.reconcile,
          what: "FluxInstance is ready",
          apply: (state, now) => (sync(state, entry, namespace, now), done(state, now)),
        },
      ]
    : [];
}

/** What the instance says about the repository, as objects of Flux. */
function sync(state: ClusterState, { object }: Entry, namespace: string, now: number): void {
  const { sync } = object.spec;
  if (!sync) return;
  const store = storeOf(state, now, "flux-operator");
  const metadata = { name: "flux-system", namespace, labels: { "app.kubernetes.io/managed-by": "flux-operator" } };
  for (const one of [
    {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind: "GitRepository",
      metadata,
      spec: {
        interval: sync.interval,
        ref: { name: sync.ref },
        timeout: "60s",
        url: sync.url,
        ...(sync.pullSecret && { secretRef: { name: sync.pullSecret } }),
      },
    },
    {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata,
      spec: { interval: sync.interval, path: sync.path, prune: true, sourceRef: { kind: "GitRepository", name: "flux-system" } },
    },
  ]) {
    const written = store.apply(one);
    if ("error" in written) throw new Error(written.error);
  }
}

function gitSteps(state: Readonly<ClusterState>, { head, fetch }: Around): Step[] {
  return entriesOf(state, "gitrepositories.source.toolkit.fluxcd.io").flatMap((entry) => {
    const { spec, metadata } = entry.object;
    if ((isReadyNow(entry) && !isRequested(entry)) || spec.suspend === true) return [];
    const ref: string = spec.ref?.name ?? spec.ref?.branch ?? "main";
    const found = head(spec.url, ref);
    if ("error" in found) {
      const fails = ready(entry, "False", "GitOperationFailed", found.error);
      return fails ? [{ at: entry.at + PACE.source, what: `GitRepository ${metadata.name} is not fetched`, apply: fails }] : [];
    }
    const revision = `${ref}@sha1:${found.head}`;
    const apply = (state: ClusterState, now: number) => {
      fetch(spec.url, found.head);
      ready(
        { ...entry, object: { ...entry.object, status: {} } },
        "True",
        "Succeeded",
        `stored artifact for revision '${revision}'`,
        artifactOfSource(entry, revision),
      )!(state, now);
    };
    return [{ at: entry.at + PACE.source, what: `GitRepository ${metadata.name} is fetched`, apply }];
  });
}

function ociSteps(state: Readonly<ClusterState>, { fails }: Around): Step[] {
  return entriesOf(state, "ocirepositories.source.toolkit.fluxcd.io").flatMap((entry) => {
    const { spec } = entry.object;
    const tag = spec.ref?.tag ?? spec.ref?.semver ?? "latest";
    const revision = `${tag}@${artifactOf(spec.url, tag).digest}`;
    const away = fails("registry-down") && !isReadyNow(entry);
    const apply = away
      ? ready(
          entry,
          "False",
          "OCIArtifactPullFailed",
          `failed to determine artifact digest: GET ${spec.url.replace("oci://", "https://")}: unexpected status code 503 Service Unavailable`,
        )
      : ready(entry, "True", "Succeeded", `stored artifact for digest '${revision}'`, artifactOfSource(entry, revision));
    return apply ? [{ at: entry.at + PACE.source, what: `OCIRepository ${nameOf(entry)} is ${away ? "not " : ""}fetched`, apply }] : [];
  });
}
