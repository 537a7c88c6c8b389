// Kustomizations that a procedure suspended: Flux leaves them alone until they are resumed.
import type { Entry } from "../ledger/ledger.ts";
import { getAll, type KubernetesObject, readFound, steady } from "../kubernetes/kubernetes.ts";
import { explained } from "../run/explained.ts";
import { type ClusterAccess, expectOurCluster } from "../kubernetes/access.ts";
import type { Room, Sight } from "../ledger/kinds.ts";
import { undoConfirmed } from "../ledger/undo.ts";
import { Failure } from "../run/errors.ts";

const KIND = "kustomizations.kustomize.toolkit.fluxcd.io";

export const suspendedLeftovers: Room = {
  kinds: ["suspended Kustomization"],
  async see(entries, context) {
    const access = await expectOurCluster(context); // in another cluster each of them would seem to be gone, as in one without Flux
    return judge(entries, await getAll(access, KIND), context.cluster.name);
  },
  async undo(entries, context, confirmed) {
    const access = await expectOurCluster(context);
    const now = judge(entries, await getAll(access, KIND), context.cluster.name);
    return undoConfirmed(confirmed, now, context, ({ entry }) => suspend(access, entry.name, false));
  },
};

/** What is to be done with each: resumed when it is still suspended, struck out when it is not, or not there. */
export function judge(entries: readonly Entry[], all: readonly KubernetesObject[], home: string): Sight[] {
  return entries.map((entry): Sight => {
    if (entry.home !== home) return { entry, verdict: "kept", why: `it is of another cluster: ${entry.home}` };
    const one = all.find(({ metadata: { namespace, name } }) => `${namespace}/${name}` === entry.name);
    if (!one) return { entry, verdict: "gone", why: "there is no such Kustomization any more" };
    if (one.spec?.suspend !== true) return { entry, verdict: "gone", why: "it was resumed" };
    const { uid } = one.metadata;
    return { entry, verdict: "safe", why: "suspended; Flux brings back what it applied", ...(uid !== undefined && { identity: uid }) };
  });
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
        access.$`kubectl patch ${KIND} ${name} --namespace ${namespace} --type merge --field-manager flux-client-side-apply --patch ${patch}`,
    ),
  );
  const said = await explained({ ...account, now: "it is unknown whether that was done" }, () =>
    steady(() => access.ask`kubectl get ${KIND} ${name} --namespace ${namespace} --output json`.text()),
  );
  const [now] = readFound(said, { command: `kubectl get ${KIND} ${name} --namespace ${namespace} --output json` });
  if ((now?.spec?.suspend === true) === suspended) return;
  throw new Failure({
    attempted: `${suspended ? "suspend" : "resume"} Kustomization ${key}`,
    said: `the cluster has it as ${suspended ? "not suspended" : "suspended"} right afterwards: something else sets spec.suspend`,
    next: `kubectl get ${KIND} ${name} --namespace ${namespace} --output yaml --show-managed-fields`,
  });
}
