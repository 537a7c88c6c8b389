// The only way to the cluster: kubectl, helm and helmfile run through a ClusterAccess, and that exists only for a kubeconfig that leads to this home's cluster.
// A procedure therefore cannot forget to check, and another cluster's API server receives nothing.
import { readFileSync } from "node:fs";
import { reference } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure, textOf } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { ask, type Shell } from "../run/shell.ts";
import { pause } from "../run/wait.ts";
import { strangeness } from "./identity.ts";

export interface ClusterAccess {
  /** Runs a command that reads the cluster: ``access.ask`kubectl get nodes` ``. */
  readonly ask: Shell;
  /** Runs a command that changes it. */
  readonly $: Shell;
}

type Home = Pick<Context, "cluster" | "env" | "vault">;

/**
 * Proves that $KUBECONFIG leads to the cluster of talos/cluster.yaml: its server is the endpoint, and the authority it trusts is the one in the vault,
 * so that TLS refuses every server that does not hold our key. Cannot be waived. Contacts nothing but the vault.
 */
export async function expectOurCluster(context: Home): Promise<ClusterAccess> {
  const { cluster, env, vault } = context;
  const file = env.KUBECONFIG!;
  const attempted = `use ${file} for ${cluster.name}`;
  const text = await readIfThere(file);
  if (text === undefined) throw new Failure({ attempted, said: "the file does not exist", next: "task bootstrap:kubeconfig" });
  const ca = reference(cluster, "talos", "CLUSTER_CA_CRT");
  const stranger = await strangeness(text, cluster, async () => (await vault.resolve([ca])).get(ca)!);
  if (stranger)
    throw new Failure({
      attempted,
      said: stranger,
      now: "nothing was changed",
      next: `move ${file} away or set KUBECONFIG, then: task bootstrap:kubeconfig`,
    });
  return accessBy(file, text, attempted);
}

/** Access to the cluster while its API answers; `waiting` says why there is none yet. Another cluster's kubeconfig throws. */
export async function reachCluster(context: Home): Promise<{ ready: ClusterAccess } | { waiting: string }> {
  const file = context.env.KUBECONFIG!;
  if (!(await readIfThere(file))?.trim()) return { waiting: `${file} does not exist` }; // kubectl would try localhost:8080
  const access = await expectOurCluster(context);
  const once = () => access.ask({ timeout: "15s" })`kubectl get --raw /readyz`.nothrow();
  const first = await once();
  if (first.exitCode === 0) return { ready: access };
  await pause(300); // a single refusal says nothing about an API server
  const second = await once();
  return second.exitCode === 0 ? { ready: access } : { waiting: textOf(second) };
}

/** Each command reads the file again first: one that was replaced since the proof is not used. */
function accessBy(file: string, text: string, attempted: string): ClusterAccess {
  const expectSame = () => {
    if (readFileSync(file, "utf8") !== text)
      throw new Failure({ attempted, said: "the file changed while this procedure ran", next: "the same command again" });
  };
  return { ask: guarded(ask, expectSame), $: guarded($, expectSame) };
}

function guarded(shell: Shell, check: () => void): Shell {
  return ((first: TemplateStringsArray | object, ...words: []) => {
    if (!("raw" in first)) return guarded(shell(first), check);
    check();
    return shell(first, ...words);
  }) as Shell;
}
