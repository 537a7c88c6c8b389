// Jobs: each runs once, as soon as its pod has what it mounts and reads, and is complete.
import { PACE, type Step } from "./cluster-nodes.ts";
import { hindrance } from "./cluster-releases.ts";
import { secondsOf } from "./cluster-flux-status.ts";
import { type ClusterState, type Entry, entriesOf, entryAt, setStatus } from "./cluster-store.ts";

/** Whether a Job has done what it is for: kustomize-controller waits for that, not for its pod to begin. */
export const isComplete = ({ object: { status } }: Entry): boolean =>
  status?.conditions?.some(({ type, status }: any) => type === "Complete" && status === "True") === true;

export const jobSteps = (state: Readonly<ClusterState>): Step[] =>
  entriesOf(state, "jobs.batch")
    .filter((entry) => !isComplete(entry) && hindrance(state, entry) === undefined)
    .map((entry) => {
      const { name, namespace } = entry.object.metadata;
      return {
        at: entry.at + PACE.workload,
        what: `Job ${namespace}/${name} is complete`,
        apply: (state, now) => complete(state, entryAt(state, "jobs.batch", namespace!, name)!, now),
      };
    });

function complete(state: ClusterState, entry: Entry, now: number): void {
  const reason = "CompletionsReached";
  const message = "Reached expected number of succeeded pods";
  const status = {
    completionTime: secondsOf(now),
    conditions: [
      { type: "SuccessCriteriaMet", status: "True", reason, message },
      { type: "Complete", status: "True", reason, message },
    ],
    ready: 0,
    startTime: secondsOf(Math.min(entry.at, now)),
    succeeded: 1,
    terminating: 0,
    uncountedTerminatedPods: {},
  };
  setStatus(state, entry, status, "kube-controller-manager");
}
