// kustomize-controller: builds a path of the fetched commit, applies it, deletes what left the set, waits for its health, in the order of dependsOn.
import { join } from "node:path";
import { type Around, isReadyNow, isRequested, nameOf, ready, same } from "./status.ts";
import { isHealthy, OWNER } from "./health.ts";
import { areGone, finalize, inventoryIn, inventoryOf, isDeleted, isPruning, keepUntilFinalized, prune } from "./inventory.ts";
import { kindNamed } from "../cluster/kinds.ts";
import { applyPatch, build, inNamespace, type Patch } from "../kustomize/kustomize.ts";
import { substituted } from "../kustomize/substitute.ts";
import { type Step, PACE } from "../cluster/nodes.ts";
import { entriesOf, entryAt, noMatch, servesAll, storeOf } from "../cluster/store.ts";
import type { ClusterState, Entry, KubeObject } from "../cluster/state.ts";

const KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io";

export const kustomizationSteps = (state: Readonly<ClusterState>, around: Around): Step[] =>
  entriesOf(state, KUSTOMIZATIONS).flatMap((entry) => {
    const [what, apply] = isDeleted(entry) ? goodbye(state, entry) : entry.object.spec.suspend === true ? [] : next(state, entry, around);
    return apply ? [{ at: entry.at + PACE.reconcile, what: `Kustomization ${nameOf(entry)} ${what}`, apply }] : [];
  });

type Next = [what: string, apply: ((state: ClusterState, now: number) => void) | undefined];

const CONTROLLER = "kustomize-controller";

/** Deletes what it applied, unless it is suspended or told not to, and lets it go; with WaitForTermination only once all of that is gone. */
function goodbye(state: Readonly<ClusterState>, entry: Entry): Next {
  const waits = entry.object.spec.deletionPolicy === "WaitForTermination";
  if (!isPruning(entry)) return ["is deleted", (state, now) => finalize(state, entry, now, CONTROLLER)];
  if (entry.applied !== PRUNED)
    return [
      "prunes what it applied",
      (state, now) => {
        const own = same(state, entry);
        prune(state, own, inventoryIn(own), now);
        own.applied = PRUNED;
        if (!waits) finalize(state, own, now, CONTROLLER);
      },
    ];
  return areGone(state, entry) ? ["is deleted", (state, now) => finalize(state, entry, now, CONTROLLER)] : ["waits", undefined];
}

/** What `applied` says of one that is deleted and has pruned. */
const PRUNED = "pruned";

function next(state: Readonly<ClusterState>, entry: Entry, { artifact, fails }: Around): Next {
  const { metadata, spec } = entry.object;
  const source = entryAt(
    state,
    "gitrepositories.source.toolkit.fluxcd.io",
    spec.sourceRef.namespace ?? metadata.namespace,
    spec.sourceRef.name,
  );
  const revision = source?.object.status?.artifact?.revision as string | undefined;
  if (!revision) return ["waits for its source", ready(entry, "False", "ArtifactFailed", "Source artifact not found, retrying in 5s")];
  for (const { name, namespace = metadata.namespace } of spec.dependsOn ?? []) {
    if (!isReadyNow(entryAt(state, KUSTOMIZATIONS, namespace, name)))
      return ["waits", ready(entry, "False", "DependencyNotReady", `dependency '${namespace}/${name}' is not ready`)];
  }
  const want = `${metadata.generation} ${revision}`;
  if (entry.applied !== want || (entry.lacks && servesAll(state, entry.lacks)) || isRequested(entry)) {
    if (entry.applied === want && entry.lacks && !servesAll(state, entry.lacks)) return ["lacks kinds", undefined];
    return ["is applied", (state, now) => reconcile(state, same(state, entry), artifact(revision), revision, want, now)];
  }
  if (entry.object.status?.conditions?.some(({ reason }: any) => reason === "BuildFailed" || reason === "ReconciliationFailed"))
    return ["failed", undefined];
  const sick = metadata.name === "spegel" && fails("flux-app-fails");
  if (sick)
    return [
      "fails",
      ready(
        entry,
        "False",
        "HealthCheckFailed",
        `health check failed after 10m0s: timeout waiting for: [HelmRelease/${metadata.namespace}/spegel status: 'InProgress']`,
      ),
    ];
  if (!isHealthy(state, entry))
    return [
      "checks health",
      ready(
        entry,
        "Unknown",
        "Progressing",
        `Running health checks for revision ${revision} with a timeout of ${spec.timeout ?? "1h0m0s"}`,
      ),
    ];
  return ["is ready", ready(entry, "True", "ReconciliationSucceeded", `Applied revision: ${revision}`, { lastAppliedRevision: revision })];
}

function reconcile(state: ClusterState, entry: Entry, repository: string, revision: string, want: string, now: number): void {
  const store = storeOf(state, now, CONTROLLER);
  entry.applied = want;
  keepUntilFinalized(state, entry, now, CONTROLLER);
  entry = same(state, entry);
  delete entry.lacks;
  const fail = (reason: string, message: string) =>
    ready(entry, "False", reason, message, { lastAttemptedRevision: revision })?.(state, now);
  let objects: KubeObject[];
  try {
    objects = rendered(entry.object, repository);
  } catch (error) {
    return fail("BuildFailed", `kustomize build failed: ${(error as Error).message}`);
  }
  const served = (object: KubeObject) => kindNamed(state, object.apiVersion, object.kind);
  const strange = objects.find((object) => !served(object));
  if (strange) {
    fail(
      "ReconciliationFailed",
      `${strange.kind}/${strange.metadata.namespace ?? ""}/${strange.metadata.name} dry-run failed: ${noMatch(strange, "").split(": ").slice(2).join(": ").split("\n")[0]}`,
    );
    entry.lacks = [...new Set(objects.filter((object) => !served(object)).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))];
    return;
  }
  const { name, namespace = "" } = entry.object.metadata;
  const refused = cannotOpen(state, entry, objects);
  if (refused) return fail(...refused);
  // namespaces and definitions first, as Flux orders what it applies
  for (const { sops: _, ...object } of objects.sort((a, b) => rank(a) - rank(b)) as KubeObject[]) {
    object.metadata = {
      ...object.metadata,
      labels: { ...object.metadata.labels, [`${OWNER}/name`]: name, [`${OWNER}/namespace`]: namespace },
    };
    const written = store.apply(object as KubeObject);
    if ("error" in written)
      return fail(
        "ReconciliationFailed",
        `${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name} dry-run failed: ${written.error.replace("Error from server (NotFound): ", "")}`,
      );
  }
  const inventory = { entries: inventoryOf(state, objects) };
  const kept = new Set(inventory.entries.map(({ id }) => id));
  const left = inventoryIn(entry).filter(({ id }) => !kept.has(id));
  ready(entry, "Unknown", "Progressing", "Reconciliation in progress", { lastAttemptedRevision: revision, inventory })?.(state, now);
  if (entry.object.spec.prune === true) prune(state, same(state, entry), left, now);
}

/** An API server refused what a Kustomization applies: it says so. False when no Kustomization applied this. */
export function applyFailed(state: ClusterState, object: KubeObject | undefined, why: string, now: number): boolean {
  const name = object?.metadata.labels?.[`${OWNER}/name`] ?? "";
  const entry = entryAt(state, KUSTOMIZATIONS, object?.metadata.labels?.[`${OWNER}/namespace`] ?? "", name);
  if (!object || !entry) return false;
  ready(
    entry,
    "False",
    "ReconciliationFailed",
    `${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name} dry-run failed: ${why}`,
  )?.(state, now);
  return true;
}

/** Why SOPS files cannot be opened: the Kustomization does not ask for it, or the key is missing. Without a Secret of its own the controller's is used (`--sops-age-secret`). */
function cannotOpen(
  state: Readonly<ClusterState>,
  { object }: Entry,
  objects: KubeObject[],
): [reason: string, message: string] | undefined {
  const sealed = objects.find(({ sops }) => sops);
  if (!sealed) return undefined;
  const { decryption } = object.spec;
  if (decryption?.provider !== "sops")
    return [
      "ReconciliationFailed",
      `${sealed.kind}/${sealed.metadata.namespace}/${sealed.metadata.name} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
    ];
  const own = decryption.secretRef?.name as string | undefined;
  const key =
    own === undefined
      ? entryAt(state, "secrets", "flux-system", "sops-age-secret")
      : entryAt(state, "secrets", object.metadata.namespace!, own);
  return key ? undefined : ["BuildFailed", "Secret decryption failed: no age identity found"];
}

const rank = ({ kind }: KubeObject) => ["Namespace", "CustomResourceDefinition"].indexOf(kind) >>> 0;

const KNOWN = [
  "components",
  "decryption",
  "deletionPolicy",
  "dependsOn",
  "force",
  "healthCheckExprs",
  "healthChecks",
  "interval",
  "patches",
  "path",
  "postBuild",
  "prune",
  "retryInterval",
  "sourceRef",
  "suspend",
  "targetNamespace",
  "timeout",
  "wait",
];

/** The objects that a Kustomization applies. Throws with the words of what builds them. */
export function rendered({ spec }: KubeObject, repository: string): KubeObject[] {
  const unknown = Object.keys(spec).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`the simulated home was not taught spec.${unknown.join(", spec.")}`);
  const path = join(repository, spec.path);
  const parts = ((spec.components ?? []) as string[]).flatMap((component) => build(join(path, component)));
  const objects = [...build(path, { gathers: true }), ...parts];
  const placed = spec.targetNamespace ? objects.map((object) => inNamespace(object, spec.targetNamespace)) : objects;
  const patched = (spec.patches ?? []).reduce((all: KubeObject[], patch: Patch) => applyPatch(all, patch), placed) as KubeObject[];
  return spec.postBuild ? patched.map((object) => substituted(object, spec.postBuild)) : patched;
}
