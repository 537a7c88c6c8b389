// The only way to reach the cluster: kubectl, helm and helmfile run through a ClusterAccess, which exists only for a kubeconfig of this home's cluster.
// A procedure therefore cannot forget the check, and another cluster's API server receives no request.
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
 * Proves that $KUBECONFIG belongs to the cluster of talos/cluster.yaml: its server is the endpoint, and it trusts the vault's CA,
 * so that TLS refuses every server without our key. Cannot be waived. Contacts only the vault.
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

/** Access to the cluster if its API answers; otherwise `waiting` says why not. Throws for another cluster's kubeconfig. */
export async function reachCluster(context: Home): Promise<{ ready: ClusterAccess } | { waiting: string }> {
  const file = context.env.KUBECONFIG!;
  if (!(await readIfThere(file))?.trim()) return { waiting: `${file} does not exist` }; // kubectl would try localhost:8080
  const access = await expectOurCluster(context);
  const once = () => access.ask({ timeout: "15s" })`kubectl get --raw /readyz`.nothrow();
  const first = await once();
  if (first.exitCode === 0) return { ready: access };
  await pause(300); // one refused connection is not enough to tell
  const second = await once();
  return second.exitCode === 0 ? { ready: access } : { waiting: textOf(second) };
}

/** Each command first reads the file again, so that a file replaced after the proof is not used. */
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
