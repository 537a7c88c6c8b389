// The administrator's kubeconfig: fetching it from a control plane, and checking the existing $KUBECONFIG.
import { reference } from "../cluster/cluster.ts";
import type { Context } from "../run/context.ts";
import { Failure } from "../run/errors.ts";
import { readIfThere } from "../run/files.ts";
import { strangeness } from "../kubernetes/identity.ts";
import { hide } from "../run/redact.ts";
import { ask } from "../run/shell.ts";
import { isTransient } from "../run/transient.ts";
import type { Probe } from "../run/wait.ts";
import { talosArgs, shortened, outputOf } from "./node.ts";
import { dueInDays, expectOurTalosconfig } from "./talosconfig.ts";

type Home = Pick<Context, "env" | "cluster" | "vault">;

/** Errors of a control plane that is still starting. */
const STARTING = /code = FailedPrecondition|no answer|no such file or directory/;

/** A new kubeconfig from the first control plane that provides one; proven to belong to this cluster. Holds secrets. */
export async function fetchKubeconfig(context: Home): Promise<string> {
  const seen = await lookForKubeconfig(context);
  if ("ready" in seen) return seen.ready;
  throw new Failure({ attempted: "fetch the kubeconfig", said: seen.waiting, next: "task talos:status" });
}

/** The same for a wait: `waiting` if every control plane is down or still starting. Throws a Failure for a permanent error. */
export async function lookForKubeconfig(context: Home): Promise<Probe<string>> {
  const { cluster } = context;
  await expectOurTalosconfig(context);
  const ca = await authority(context);
  const said: string[] = [];
  for (const node of cluster.nodes) {
    const got = await ask({ timeout: "20s" })`talosctl ${await talosArgs(context, node)} kubeconfig - --merge=false`.nothrow();
    if (got.exitCode !== 0) said.push(`${node.name}: ${shortened(outputOf(got))}`);
    else {
      hide([...got.stdout.matchAll(/(?:client-key-data|token): *(\S+)/g)].map(([, value]) => value!));
      const stranger = await strangeness(got.stdout, cluster, async () => ca);
      if (!stranger) return { ready: got.stdout };
      said.push(`${node.name} gave a kubeconfig of another cluster: ${stranger}`);
    }
  }
  if (said.every((line) => STARTING.test(line) || isTransient(line))) return { waiting: said.join("\n") };
  throw new Failure({ attempted: "fetch the kubeconfig", said: said.join("\n"), next: "task talos:status" });
}

/** Why $KUBECONFIG must not be overwritten; undefined if it belongs only to this cluster, is empty or is missing. */
export async function foreignKubeconfig(context: Home): Promise<string | undefined> {
  const held = await readIfThere(context.env.KUBECONFIG!);
  if (!held?.trim()) return undefined;
  const stranger = await strangeness(held, context.cluster, () => authority(context));
  if (stranger) return stranger;
  const others = (await read(held)).contexts?.map(({ name }) => name) ?? [];
  return others.length > 1 ? `it also leads to other clusters: contexts ${others.join(", ")}` : undefined;
}

/** Days until the certificate in $KUBECONFIG expires; undefined without a file or a certificate. */
export async function daysLeft({ env }: Pick<Context, "env">, now: number): Promise<number | undefined> {
  const { users } = await read((await readIfThere(env.KUBECONFIG!)) ?? "");
  const certificate = users?.[0]?.user["client-certificate-data"];
  if (!certificate) return undefined;
  const { X509Certificate } = await import("node:crypto");
  return dueInDays(Date.parse(new X509Certificate(Buffer.from(certificate, "base64")).validTo), now);
}

interface Kubeconfig {
  contexts?: { name: string }[];
  users?: { user: { "client-certificate-data"?: string } }[];
}

async function read(text: string): Promise<Kubeconfig> {
  const { parse } = await import("yaml");
  return (parse(text) as Kubeconfig | null) ?? {};
}

async function authority({ cluster, vault }: Home): Promise<string> {
  const ca = reference(cluster, "talos", "CLUSTER_CA_CRT");
  return (await vault.resolve([ca])).get(ca)!;
}
