// What all Kubernetes tools share: whether the API server answers with $KUBECONFIG, and the object store behind it.
import { join } from "node:path";
import { apiServerOf } from "../../world/cluster/kubeconfig.ts";
import { type Store, storeOf } from "../../world/cluster/store.ts";
import type { Call } from "../../world/tool.ts";
import type { World } from "../../world/world.ts";
import type { Words } from "../flags.ts";
import { goError, isMissing } from "../go-errors.ts";
import type { ClusterState } from "../../world/cluster/state.ts";

/** What a tool prints to standard error before it exits 1. */
export class KubeError extends Error {}

export interface KubeCall {
  world: World;
  call: Call;
  words: Words;
  /** The arguments after the name of the command. */
  rest: string[];
}

/** Throws kubectl's error if the API server does not answer with the caller's kubeconfig. */
export async function reachApi({ world, call, words }: KubeCall): Promise<void> {
  const access = apiServerOf(world, await kubeconfigOf(call, words.text("kubeconfig")));
  if ("error" in access) throw new KubeError(access.error);
}

/** The same with helm's error. */
export async function reachApiAsHelm({ world, call }: Pick<KubeCall, "world" | "call">): Promise<void> {
  const access = apiServerOf(world, await kubeconfigOf(call, undefined));
  if (!("error" in access)) return;
  const refused = /^The connection to the server (\S+) was refused/.exec(access.error)?.[1];
  const said = refused
    ? `Get "https://${refused}/version": dial tcp ${refused}: connect: connection refused`
    : access.error.replace(/^Unable to connect to the server: /, 'Get "/version": ');
  throw new KubeError(`Error: kubernetes cluster unreachable: ${said}`);
}

async function kubeconfigOf(call: Call, given: string | undefined): Promise<string> {
  const path = given ?? call.env.KUBECONFIG ?? join(call.env.HOME ?? "/", ".kube/config");
  try {
    return await call.read(path);
  } catch (error) {
    if (isMissing(error) && given === undefined) return "";
    throw new KubeError(`error: ${goError(path, error)}`);
  }
}

/** The store, for reading. */
export const reading = (world: World): Store => storeOf(world.state.cluster as ClusterState, world.now());

/** Changes the cluster as the product's command. */
export const writing = <T>(world: World, what: string, act: (store: Store, state: ClusterState) => T): T =>
  world.change("product", what, ({ cluster }) => act(storeOf(cluster, world.now()), cluster));

/** A file, or standard input for `-`. */
export async function textOf(call: Call, file: string): Promise<string> {
  if (file === "-") return call.stdin();
  try {
    return await call.read(file);
  } catch (error) {
    throw new KubeError(isMissing(error) ? `error: the path ${JSON.stringify(file)} does not exist` : `error: ${goError(file, error)}`);
  }
}

/** `2m`, `1m30s`, `90s` in milliseconds. */
export function milliseconds(duration: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}

/** A short pause in real time, in which the home continues. */
export const moment = () => new Promise((done) => setTimeout(done, 20));
