// tuppr 0.5.0 up to the moment in which it would start an upgrade: versions first, then the health checks of the plan. It does not upgrade, and knows no maintenance windows.
// (home-operations/tuppr f92ef37: internal/controller/kubernetesupgrade/upgrade.go, internal/healthcheck/checker.go.)
import { PACE, type Step } from "./nodes.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, setStatus } from "./store.ts";
import { Untaught } from "../tool.ts";
import type { ClusterState, Entry } from "./state.ts";

/** The expressions of the tree; any other is refused. A missing field throws, as in CEL. */
const CEL: Record<string, (status: any) => boolean> = {
  "status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')": ({ conditions }) =>
    conditions.some((one: any) => one.type === "Ready" && one.status === "True"),
  "status.ceph.health == 'HEALTH_OK'": ({ ceph }) => ceph.health === "HEALTH_OK",
  "!status.conditions.exists(c, c.type == 'Synchronizing' && c.status == 'True')": ({ conditions }) =>
    !conditions.some((one: any) => one.type === "Synchronizing" && one.status === "True"),
};

const PLANS = {
  "talosupgrades.tuppr.home-operations.com": {
    wanted: (spec: any) => spec.talos.version as string,
    has: (node: any) => /\((.*)\)/.exec(node.status?.nodeInfo?.osImage as string)?.[1],
  },
  "kubernetesupgrades.tuppr.home-operations.com": {
    wanted: (spec: any) => spec.kubernetes.version as string,
    has: (node: any) => node.status?.nodeInfo?.kubeletVersion as string | undefined,
  },
};

export const tupprSteps = (state: Readonly<ClusterState>): Step[] =>
  runs(state, "Deployment/tuppr", "system-upgrade")
    ? Object.entries(PLANS).flatMap(([resource, { wanted, has }]) =>
        entriesOf(state, resource).flatMap((entry) => {
          const { metadata, spec, status } = entry.object;
          const nodes = entriesOf(state, "nodes").map(({ object }) => has(object));
          const failed = spec.healthChecks?.find((check: any) => !passes(state, check));
          const phase = nodes.every((version) => version === wanted(spec)) ? "Completed" : failed ? "HealthChecking" : "Upgrading";
          const message = phase === "HealthChecking" ? `Waiting for health checks: ${failed.description ?? failed.kind}` : "";
          if (status?.observedGeneration === metadata.generation && status?.phase === phase && status?.message === message) return [];
          return [settle(entry, { phase, message })];
        }),
      )
    : [];

/** Whether every object of a check satisfies its expression; a named object that is missing does not. */
function passes(state: Readonly<ClusterState>, { apiVersion, kind, name, namespace, expr }: any): boolean {
  const holds = CEL[expr as string];
  if (!holds) throw new Untaught(`the health expression ${expr}`);
  const found = Object.values(state.objects).filter(
    ({ object }) =>
      object.apiVersion === apiVersion &&
      object.kind === kind &&
      (name === undefined || object.metadata.name === name) &&
      (namespace === undefined || object.metadata.namespace === namespace),
  );
  if (name !== undefined && found.length === 0) return false;
  return found.every(({ object }) => {
    try {
      return holds(object.status ?? {});
    } catch {
      return false;
    }
  });
}

function settle(entry: Entry, { phase, message }: { phase: string; message: string }): Step {
  const { kind, metadata } = entry.object;
  return {
    at: entry.at + PACE.reconcile,
    what: `${kind} ${metadata.name} is ${phase}`,
    apply(state) {
      const found = Object.values(state.objects).find(({ object }) => object.metadata.uid === metadata.uid);
      if (found) setStatus(state, found, { phase, message, observedGeneration: found.object.metadata.generation }, "tuppr");
    },
  };
}
