// Reads the Kubernetes API through kubectl, and interprets its errors.
import { commandErrorOf, Failure } from "../run/errors.ts";
import { explained } from "../run/explained.ts";
import type { ClusterAccess } from "./access.ts";
import { type Pattern, readJson, type Source } from "../run/tool-output.ts";
import { isTransient } from "../run/transient.ts";
import { retry } from "../run/retry.ts";

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    generation?: number;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
  data?: Record<string, string>;
  status?: { conditions?: Condition[]; observedGeneration?: number };
}

/** Objects of these kinds in all namespaces. Throws if the API does not answer or does not have a kind, because its objects are then unknown. */
export async function getAll(access: ClusterAccess, kinds: string): Promise<KubernetesObject[]> {
  const found = await getAllKnown(access, kinds);
  if (found) return found;
  throw new Failure({
    attempted: `list ${kinds}`,
    said: "the cluster does not have all of these kinds",
    next: "task bootstrap, which installs what defines them",
  });
}

/** The same, but `undefined` if the kind's CustomResourceDefinition does not exist yet. */
export const getAllKnown = (access: ClusterAccess, kinds: string): Promise<KubernetesObject[] | undefined> =>
  explained({ attempted: `list ${kinds} of the cluster` }, () =>
    steady(async () => {
      const got = await access.ask`kubectl get ${kinds} --all-namespaces --output json`.nothrow();
      if (got.exitCode === 0) return readList(got.stdout, { command: `kubectl get ${kinds} --all-namespaces --output json` });
      if (/doesn't have a resource type|no matches for kind/.test(got.stderr)) return undefined;
      throw got;
    }),
  );

const OBJECT: Pattern = { kind: "", metadata: { name: "" } };

const readList = <T>(text: string, source: Source) => readJson<{ items: T[] }>(text, source, { items: [OBJECT] }).items;

/** Parses the output of ``cat | kubectl get --ignore-not-found --output json --filename -``: nothing, one object, or a list. */
export function readFound<T = KubernetesObject>(text: string, source: Source): T[] {
  if (text.trim() === "") return [];
  const read = readJson<T & { items?: unknown }>(text, source, {});
  return read.items === undefined ? [readJson<T>(text, source, OBJECT)] : readList<T>(text, source);
}

/** Retries up to five times within 15 seconds while the API server is briefly unavailable. Only for idempotent commands: reads, and server-side apply. */
export const steady = <T>(act: () => PromiseLike<T>, isTransient: (error: unknown) => boolean = mayPass): Promise<T> =>
  retry({ tries: 5, pauseMs: 500, isTransient }, act);

/** Whether kubectl's error means that the API server is not up yet, or briefly unavailable. Every other error is permanent. */
export function mayPass(error: unknown): boolean {
  const failed = commandErrorOf(error);
  if (failed === undefined) return false;
  const said = `${failed.stderr}\n${failed.stdout}`;
  return isTransient(said) || SLOW.test(said);
}

/** A read that took too long. Helm prints the same when its wait for pods times out, which is not a reason to retry. */
const SLOW = /context deadline exceeded/i;

/** For waits: a briefly unavailable API server is not a result yet; every other error is thrown. */
export const passing = (error: unknown): undefined => {
  if (mayPass(error)) return undefined;
  throw error;
};

/** The condition of this type; undefined if the object's controller has not set it. */
export const condition = (object: KubernetesObject, type: string) => object.status?.conditions?.find((one) => one.type === type);

/** Ready in its current generation: a status from before a change does not count. */
export function isReady(object: KubernetesObject): boolean {
  const { observedGeneration } = object.status ?? {};
  return (
    condition(object, "Ready")?.status === "True" && (observedGeneration === undefined || observedGeneration === object.metadata.generation)
  );
}

/** One line about an object that is not ready: "Kustomization kube-system/cilium: DependencyNotReady: …". */
export function whyNotReady(object: KubernetesObject): string {
  const { namespace, name } = object.metadata;
  const ready = condition(object, "Ready");
  const why =
    object.spec?.suspend === true
      ? "suspended"
      : ready
        ? `${ready.reason ?? ready.status}: ${ready.message ?? ""}`.trim()
        : "has no status yet";
  return `${object.kind} ${namespace ? `${namespace}/` : ""}${name}: ${why}`;
}
