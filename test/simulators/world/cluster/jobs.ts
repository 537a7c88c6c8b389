// Jobs: each runs once, as soon as its pod has what it mounts and reads, and is complete.
import { kopiaEnding } from "./kopia.ts";
import { PACE, type Step } from "./nodes.ts";
import { hindrance } from "../charts/cluster-releases.ts";
import { secondsOf } from "../flux/status.ts";
import { entriesOf, entryAt, setStatus, storeOf } from "./store.ts";
import type { ClusterState, Entry } from "./state.ts";

/** Whether a Job has done what it is for: kustomize-controller waits for that, not for its pod to begin. */
export const isComplete = ({ object: { status } }: Entry): boolean =>
  status?.conditions?.some(({ type, status }: any) => type === "Complete" && status === "True") === true;

export const jobSteps = (state: Readonly<ClusterState>): Step[] =>
  entriesOf(state, "jobs.batch")
    .filter((entry) => !isComplete(entry) && hindrance(state, entry) === undefined)
    .flatMap((entry) => {
      const { name, namespace } = entry.object.metadata;
      const ending = kopiaEnding(entry.object);
      if (ending && podOf(state, entry)?.object.status?.containerStatuses?.[0].state.terminated.message === ending.message) return []; // it has failed and will again
      return {
        at: entry.at + PACE.workload,
        what: `Job ${namespace}/${name} ${ending && ending.exitCode !== 0 ? "fails" : "is complete"}`,
        apply: (state: ClusterState, now: number) => {
          const job = entryAt(state, "jobs.batch", namespace!, name)!;
          if (ending) endPod(state, job, ending, now);
          if (!ending || ending.exitCode === 0) complete(state, job, now);
        },
      };
    });

const podOf = (state: Readonly<ClusterState>, { object: { metadata } }: Entry) =>
  entryAt(state, "pods", metadata.namespace!, `${metadata.name}-x7k2p`);

/** The pod of a Job, after its one container has ended. */
function endPod(state: ClusterState, job: Entry, terminated: { exitCode: number; message: string }, now: number): void {
  const { name, namespace } = job.object.metadata;
  storeOf(state, now, "kube-controller-manager").apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `${name}-x7k2p`, namespace: namespace!, labels: { "batch.kubernetes.io/job-name": name } },
    spec: job.object.spec.template.spec,
  });
  const status = {
    phase: terminated.exitCode === 0 ? "Succeeded" : "Running",
    startTime: secondsOf(now),
    containerStatuses: [{ name: "app", ready: false, restartCount: 0, state: { terminated } }],
  };
  setStatus(state, podOf(state, job)!, status, "kubelet");
}

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
