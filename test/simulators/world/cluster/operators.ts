// Operators of which the home only reads whether they are content: KEDA, grafana-operator, tuppr.
import { PACE, type Step } from "./nodes.ts";
import { tupprSteps } from "./tuppr.ts";
import { runs } from "../charts/cluster-releases.ts";
import { entriesOf, entryAt, observedOf, setStatus } from "./store.ts";
import type { ClusterState, Entry } from "./state.ts";

export const operatorSteps = (state: Readonly<ClusterState>): Step[] => [...kedaSteps(state), ...grafanaSteps(state), ...tupprSteps(state)];

const settle = (by: string, entry: Entry, what: string, status: object): Step => ({
  at: entry.at + PACE.reconcile,
  what: `${entry.object.kind} ${entry.object.metadata.name} ${what}`,
  apply(state) {
    const found = Object.values(state.objects).find(({ object }) => object.metadata.uid === entry.object.metadata.uid);
    if (found) setStatus(state, found, { ...status, observedGeneration: found.object.metadata.generation }, by);
  },
});

const isNew = (entry: Entry) => observedOf(entry) !== entry.object.metadata.generation;

/** A ScaledObject is ready once what it scales is there. */
const kedaSteps = (state: Readonly<ClusterState>): Step[] =>
  runs(state, "Deployment/keda-operator", "observability")
    ? entriesOf(state, "scaledobjects.keda.sh")
        .filter((entry) => {
          const { metadata, spec } = entry.object;
          return isNew(entry) && entryAt(state, "deployments.apps", metadata.namespace!, spec.scaleTargetRef.name as string);
        })
        .map((entry) =>
          settle("keda-operator", entry, "is ready", {
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "ScaledObjectReady",
                message: "ScaledObject is defined correctly and is ready for scaling",
              },
              { type: "Active", status: "True", reason: "ScalerActive", message: "Scaling is performed because triggers are active" },
            ],
          }),
        )
    : [];

const grafanaSteps = (state: Readonly<ClusterState>): Step[] =>
  runs(state, "Deployment/grafana-operator", "observability")
    ? entriesOf(state, "grafanas.grafana.integreatly.org")
        .filter(isNew)
        .map((entry) => settle("grafana-operator", entry, "is served", { stage: "complete", stageStatus: "success" }))
    : [];
