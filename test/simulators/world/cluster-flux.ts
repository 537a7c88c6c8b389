// Flux: its operator installs it, it fetches the repository, and its controllers bring every source, Kustomization and HelmRelease to where its inputs allow, as steps.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { artifactOf } from "./chart-artifact.ts";
import { workloadOf } from "./chart-objects.ts";
import { FLUX } from "./cluster-charts.ts";
import { externalSecretSteps } from "./cluster-external-secrets.ts";
import { helmSteps } from "./cluster-flux-helm.ts";
import { kustomizationSteps } from "./cluster-flux-kustomize.ts";
import { type Around, artifactOfSource, isReadyNow, isRequested, nameOf, ready } from "./cluster-flux-status.ts";
import { type Step, PACE } from "./cluster-nodes.ts";
import { runs } from "./cluster-releases.ts";
import { type ClusterState, type Entry, entriesOf, entryAt, storeOf } from "./cluster-store.ts";

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

/** `refs/heads/main@sha1:…`, which follows from what is in the tree. */
function revisionOf(repository: string, ref: string): string {
  const hash = createHash("sha1");
  const add = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) add(path);
      else hash.update(entry.name).update(readFileSync(path));
    }
  };
  add(join(repository, "kubernetes"));
  return `${ref}@sha1:${hash.digest("hex")}`;
}

function gitSteps(state: Readonly<ClusterState>, { repository }: Around): Step[] {
  return entriesOf(state, "gitrepositories.source.toolkit.fluxcd.io").flatMap((entry) => {
    const { spec, metadata } = entry.object;
    if (isReadyNow(entry) && !isRequested(entry)) return [];
    const apply = (state: ClusterState, now: number) => {
      const revision = revisionOf(repository, spec.ref?.name ?? spec.ref?.branch ?? "refs/heads/main");
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
