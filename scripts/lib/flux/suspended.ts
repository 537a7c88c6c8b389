// Suspends and resumes Kustomizations, and handles their ledger entries. Flux does not change the objects of a suspended one.
import type { Entry, KindFacts } from "../ledger/entry.ts";
import { getAll, type KubernetesObject, readFound, steady } from "../kubernetes/kubernetes.ts";
import { explained } from "../run/explained.ts";
import { type ClusterAccess, expectOurCluster } from "../kubernetes/access.ts";
import type { KindHandler, Leftover } from "../ledger/leftover.ts";
import { undoConfirmed } from "../ledger/undo-confirmed.ts";
import { Failure } from "../run/errors.ts";

export const KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io";
/** The kind of a ledger entry. */
export const SUSPENDED = "suspended Kustomization" as const;

export const suspendedLeftovers: KindHandler = {
  kinds: [SUSPENDED],
  async observe(entries, context) {
    const access = await expectOurCluster(context); // in another cluster every entry would look gone
    return suspensionsNow(entries, await getAll(access, KUSTOMIZATIONS), context.cluster.name);
  },
  async undo(entries, context, confirmed) {
    const access = await expectOurCluster(context);
    const now = suspensionsNow(entries, await getAll(access, KUSTOMIZATIONS), context.cluster.name);
    return undoConfirmed(confirmed, now, context, ({ entry }) => suspend(access, entry.name, false));
  },
};

/** Each entry with its state in the cluster: one that is still suspended can be resumed; one that is resumed or missing is gone. */
export function suspensionsNow(entries: readonly Entry[], all: readonly KubernetesObject[], cluster: string): Leftover[] {
  return entries.map((entry): Leftover => {
    if (entry.owner.cluster !== cluster) return { entry, verdict: "kept", why: `it is of another cluster: ${entry.owner.cluster}` };
    const one = all.find(({ metadata: { namespace, name } }) => `${namespace}/${name}` === entry.name);
    if (!one) return { entry, verdict: "gone", why: "there is no such Kustomization any more" };
    const { uid } = one.metadata;
    const { uid: suspended } = entry.facts as Partial<KindFacts["suspended Kustomization"]>;
    if (suspended !== undefined && suspended !== uid) return { entry, verdict: "gone", why: "another Kustomization has its name now" };
    if (one.spec?.suspend !== true) return { entry, verdict: "gone", why: "it was resumed" };
    return { entry, verdict: "safe", why: "suspended; Flux brings back what it applied", ...(uid !== undefined && { identity: uid }) };
  });
}

/** Resumes a Kustomization if it is suspended. */
export async function endSuspension(access: ClusterAccess, key: string): Promise<void> {
  if (await isSuspended(access, key, `resume Kustomization ${key}`)) await suspend(access, key, false);
}

async function isSuspended(access: ClusterAccess, key: string, attempted: string): Promise<boolean> {
  const [namespace = "", name = ""] = key.split("/");
  const command = `kubectl get ${KUSTOMIZATIONS} ${name} --namespace ${namespace} --output json`;
  const account = { attempted, now: "it is unknown whether that was done", next: `task leftovers UNDO=1 NAME=${key}` };
  const said = await explained(account, () =>
    steady(() => access.ask`kubectl get ${KUSTOMIZATIONS} ${name} --namespace ${namespace} --output json`.text()),
  );
  return readFound(said, { command })[0]?.spec?.suspend === true;
}

/**
 * Suspends or resumes a Kustomization, and reads back that it is so. kustomize-controller takes over every field whose manager begins with `kubectl`, and
 * drops it at the parent's next apply: the name is the one that the flux command has.
 */
export async function suspend(access: ClusterAccess, key: string, suspended: boolean): Promise<void> {
  const [namespace = "", name = ""] = key.split("/");
  const patch = JSON.stringify({ spec: { suspend: suspended } });
  const account = {
    attempted: `${suspended ? "suspend" : "resume"} Kustomization ${key}`,
    now: suspended ? "nothing was deleted" : "it may still be suspended",
    next: suspended ? `task flux:delete APP=${key}` : `task leftovers UNDO=1 NAME=${key}`,
  };
  await explained(account, () =>
    steady(
      () =>
        access.$`kubectl patch ${KUSTOMIZATIONS} ${name} --namespace ${namespace} --type merge --field-manager flux-client-side-apply --patch ${patch}`,
    ),
  );
  if ((await isSuspended(access, key, account.attempted)) === suspended) return;
  throw new Failure({
    attempted: `${suspended ? "suspend" : "resume"} Kustomization ${key}`,
    said: `the cluster has it as ${suspended ? "not suspended" : "suspended"} right afterwards: something else sets spec.suspend`,
    next: `kubectl get ${KUSTOMIZATIONS} ${name} --namespace ${namespace} --output yaml --show-managed-fields`,
  });
}
