// Reads the Kubernetes API through kubectl, and knows what its errors mean.
import { Failure, isCommandError } from "../run/errors.ts";
import type { ClusterAccess } from "./access.ts";
import { type Pattern, readJson, type Source } from "../run/tool-output.ts";
import { isTransient } from "../run/transient.ts";
import { pause } from "../run/wait.ts";

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

/** Objects of these kinds in all namespaces. A kind that the API does not have throws like an API that does not answer: nothing is known of its objects. */
export async function getAll(access: ClusterAccess, kinds: string): Promise<KubernetesObject[]> {
  const found = await getAllKnown(access, kinds);
  if (found) return found;
  throw new Failure({
    attempted: `list ${kinds}`,
    said: "the cluster does not have all of these kinds",
    next: "task bootstrap, which installs what defines them",
  });
}

/** The same where a missing kind is an answer too: `undefined`, because its CustomResourceDefinition does not exist yet. */
export const getAllKnown = (access: ClusterAccess, kinds: string): Promise<KubernetesObject[] | undefined> =>
  steady(async () => {
    const got = await access.ask`kubectl get ${kinds} --all-namespaces --output json`.nothrow();
    if (got.exitCode === 0) return readList(got.stdout, { command: `kubectl get ${kinds} --all-namespaces --output json` });
    if (/doesn't have a resource type|no matches for kind/.test(got.stderr)) return undefined;
    throw got;
  });

const OBJECT: Pattern = { kind: "", metadata: { name: "" } };

const readList = <T>(text: string, source: Source) => readJson<{ items: T[] }>(text, source, { items: [OBJECT] }).items;

/** Those of the named objects that exist, for ``cat | kubectl get --ignore-not-found --output json --filename -``: it prints nothing, one object, or a list. */
export function readFound<T = KubernetesObject>(text: string, source: Source): T[] {
  if (text.trim() === "") return [];
  const read = readJson<T & { items?: unknown }>(text, source, {});
  return read.items === undefined ? [readJson<T>(text, source, OBJECT)] : readList<T>(text, source);
}

const TRIES = 5;

/** Does it again, up to five times within a quarter of a minute, while the API server is away for a moment. For what may be done twice: reads, and server-side apply. */
export async function steady<T>(act: () => PromiseLike<T>, passes: (error: unknown) => boolean = mayPass): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (attempt === TRIES || !passes(error)) throw error;
      await pause(250 * 2 ** attempt);
    }
  }
}

/** Is this what kubectl says while the API server is not there yet, or not for the moment? Such a thing may pass; anything else will not. */
export function mayPass(error: unknown): boolean {
  if (!isCommandError(error)) return false;
  const said = `${error.stderr}\n${error.stdout}`;
  return isTransient(said) || SLOW.test(said);
}

/** A read that took too long. Helm says the same when its own wait for pods is over, and that is no reason to try again. */
const SLOW = /context deadline exceeded/i;

/** For whoever waits: an API server that is away for a moment is not an answer, anything else that is wrong is thrown. */
export const passing = (error: unknown): undefined => {
  if (mayPass(error)) return undefined;
  throw error;
};

/** The condition of that type, if the object's controller has set it. */
export const condition = (object: KubernetesObject, type: string) => object.status?.conditions?.find((one) => one.type === type);

/** Ready for its present generation: a status left over from before a change does not count. */
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
