// What kustomize-controller waits for after it has applied: kstatus, and the CEL expressions of kinds that kstatus cannot read.
import { isReadyNow } from "./status.ts";
import { isComplete } from "../cluster/jobs.ts";
import { isEstablished } from "../cluster/kinds.ts";
import { derived } from "../cluster/reading.ts";
import { isAvailable } from "../charts/cluster-releases.ts";
import { Untaught } from "../tool.ts";
import type { ClusterState, Entry } from "../cluster/state.ts";

export const OWNER = "kustomize.toolkit.fluxcd.io";

/** The expressions of the tree; any other is refused. */
const CEL: Record<string, (status: any) => boolean> = {
  "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')": ({ conditions }) =>
    conditions.filter(({ type }: any) => type === "Ready").every(({ status }: any) => status === "True"),
  "status.conditions.exists(e, e.type == 'Ready')": ({ conditions }) => conditions.some(({ type }: any) => type === "Ready"),
  "status.conditions.filter(e, e.type == 'Programmed').all(e, e.status == 'True')": ({ conditions }) =>
    conditions.filter(({ type }: any) => type === "Programmed").every(({ status }: any) => status === "True"),
  "status.ceph.health in ['HEALTH_OK', 'HEALTH_WARN']": ({ ceph }) => ["HEALTH_OK", "HEALTH_WARN"].includes(ceph.health as string),
};

/** Objects by the Kustomization that applied them. */
function byOwner(state: Readonly<ClusterState>): Map<string, Entry[]> {
  const owned = new Map<string, Entry[]>();
  for (const entry of Object.values(state.objects)) {
    const { labels } = entry.object.metadata;
    const owner = `${labels?.[`${OWNER}/namespace`]}/${labels?.[`${OWNER}/name`]}`;
    const entries = owned.get(owner);
    if (entries) entries.push(entry);
    else owned.set(owner, [entry]);
  }
  return owned;
}

/** Whether what it waits for is ready: everything it applied, or the objects that it names. */
export function isHealthy(state: Readonly<ClusterState>, { object: { metadata, spec } }: Entry): boolean {
  const own = derived(state, byOwner).get(`${metadata.namespace}/${metadata.name}`) ?? [];
  const expression = ({ object: { apiVersion, kind } }: Entry): string | undefined =>
    spec.healthCheckExprs?.find((one: any) => one.apiVersion === apiVersion && one.kind === kind)?.current;
  const named = (spec.healthChecks ?? []).map((check: any) =>
    Object.values(state.objects).find(
      ({ object }) =>
        object.kind === check.kind &&
        object.metadata.name === check.name &&
        (check.namespace === undefined || object.metadata.namespace === check.namespace),
    ),
  );
  return (spec.wait === true ? own : named).every((entry: Entry | undefined) => entry !== undefined && isCurrent(entry, expression(entry)));
}

/** kstatus: what has no conditions is as it should be, unless its controller always writes some. */
function isCurrent(entry: Entry, expression?: string): boolean {
  const { kind, apiVersion, status } = entry.object;
  if (expression !== undefined) {
    const holds = CEL[expression];
    if (!holds) throw new Untaught(`the health expression ${expression}`);
    try {
      return holds(status);
    } catch {
      return false; // a field that is not there yet: Flux goes on waiting
    }
  }
  if (["Deployment", "DaemonSet", "StatefulSet"].includes(kind)) return isAvailable(entry);
  if (kind === "Job") return isComplete(entry);
  if (kind === "CustomResourceDefinition") return isEstablished(entry);
  if (/toolkit\.fluxcd\.io|external-secrets\.io|controlplane\.io/.test(apiVersion)) return isReadyNow(entry);
  return !status?.conditions?.some(({ type, status }: any) => type === "Ready" && status !== "True");
}
