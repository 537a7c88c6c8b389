// Reading the Kubernetes API through kubectl, and what its errors mean.
import { existsSync } from "node:fs";
import { type Cluster, reference } from "./cluster/cluster.ts";
import type { Context } from "./context.ts";
import { Failure, isCommandError, textOf } from "./errors.ts";
import { readIfThere } from "./files.ts";
import { ask } from "./shell.ts";
import { pause } from "./wait.ts";

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
    generation?: number;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
  data?: Record<string, string>;
  status?: { conditions?: Condition[]; observedGeneration?: number };
}

/** Objects of these kinds in all namespaces. An absent kind (its CRD is not there yet) is `undefined`; an API that does not answer throws. */
export const getAll = (kinds: string): Promise<KubernetesObject[] | undefined> =>
  steady(async () => {
    const got = await ask`kubectl get ${kinds} --all-namespaces --output json`.nothrow();
    if (got.exitCode === 0) return (JSON.parse(got.stdout) as { items: KubernetesObject[] }).items;
    if (/doesn't have a resource type|no matches for kind/.test(got.stderr)) return undefined;
    throw got;
  });

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
  return isCommandError(error) && TRANSIENT.test(`${error.stderr}\n${error.stdout}`);
}
const TRANSIENT =
  /connection refused|was refused|i\/o timeout|TLS handshake timeout|no route to host|connection reset|EOF|etcdserver: (leader changed|request timed out)|ServiceUnavailable|the server is currently unable|too many requests|context deadline exceeded|apiserver not ready|Unable to connect to the server: dial/i;

/** For whoever waits: an API server that is away for a moment is not an answer, anything else that is wrong is thrown. */
export const passing = (error: unknown): undefined => {
  if (mayPass(error)) return undefined;
  throw error;
};

/** Whether the API answers, and if not, in which words; never throws for an API that is away. */
export async function apiReady(): Promise<{ ready: true } | { waiting: string }> {
  const file = $.env.KUBECONFIG;
  if (file && !existsSync(file)) return { waiting: `there is no ${file}` }; // kubectl would ask whoever listens on localhost:8080
  const once = () => ask({ timeout: "15s" })`kubectl get --raw /readyz`.nothrow();
  const first = await once();
  if (first.exitCode === 0) return { ready: true };
  await pause(300); // a single refusal is no answer about an API server
  const asked = await once();
  return asked.exitCode === 0 ? { ready: true } : { waiting: textOf(asked) };
}

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

/**
 * Proves that $KUBECONFIG leads to the cluster of talos/cluster.yaml: its server is the endpoint, and the authority it trusts is the one in the vault,
 * so that whoever answers holds our key. Cannot be waived.
 */
export async function expectOurCluster({ cluster, env, vault }: Pick<Context, "cluster" | "env" | "vault">): Promise<void> {
  const file = env.KUBECONFIG!;
  const attempted = `use ${file} for ${cluster.name}`;
  const text = await readIfThere(file);
  if (text === undefined) throw new Failure({ attempted, said: "there is no such file", next: "task bootstrap:kubeconfig" });
  const ca = reference(cluster, "talos", "CLUSTER_CA_CRT");
  const stranger = await strangeness(text, cluster, (await vault.resolve([ca])).get(ca)!);
  if (stranger)
    throw new Failure({
      attempted,
      said: stranger,
      now: "nothing was changed",
      next: `move ${file} away or set KUBECONFIG, then: task bootstrap:kubeconfig`,
    });
}

/** What shows that a kubeconfig's current context belongs to another cluster; undefined when it is ours. */
export async function strangeness(text: string, cluster: Pick<Cluster, "endpoint" | "name">, ca: string): Promise<string | undefined> {
  const { parse } = await import("yaml");
  const config = parse(text) as Kubeconfig | null;
  const context = config?.contexts?.find(({ name }) => name === config["current-context"])?.context;
  const held = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  if (!held) return "it has no current context";
  if (held.server !== cluster.endpoint.url) return `its server is ${held.server}, talos/cluster.yaml says ${cluster.endpoint.url}`;
  if (squeeze(held["certificate-authority-data"] ?? "") !== squeeze(ca))
    return `it trusts another authority than ${cluster.name}'s in the vault`;
  return undefined;
}

const squeeze = (base64: string) => base64.replaceAll(/\s/g, "");

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context: { cluster: string } }[];
  clusters?: { name: string; cluster: { server: string; "certificate-authority-data"?: string } }[];
}
