// Fetches the kubeconfig from a control plane into $KUBECONFIG; into the vault only when asked.
import { reference } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/context.ts";
import { Failure, textOf } from "../lib/errors.ts";
import { readIfThere, writeFile } from "../lib/files.ts";
import { strangeness } from "../lib/kubernetes.ts";
import { flag } from "../lib/options.ts";
import { main, procedure } from "../lib/procedure.ts";
import { hide } from "../lib/redact.ts";
import { newItem, valueOf, withFields } from "../lib/secrets/items.ts";
import { getItem, listItems } from "../lib/secrets/op.ts";
import { at, expectTalosconfig } from "../lib/talos/node.ts";
import { ask } from "../lib/shell.ts";

export const kubeconfig = procedure({
  name: "talos:kubeconfig",
  about: "fetch the kubeconfig into $KUBECONFIG",
  options: { upload: flag("also store it in 1Password, item kubeconfig") },
  async run({ upload }, context) {
    const { env, ui, cluster } = context;
    const text = await fetchKubeconfig(context);
    const stranger = await foreignKubeconfig(context);
    if (stranger) throw new Failure({ attempted: `write ${env.KUBECONFIG}`, said: stranger, now: "it was left as it is", next: "move it away or set KUBECONFIG, then: task talos:kubeconfig" });
    await ui.confirm({ title: "talos:kubeconfig", lines: [`write ${env.KUBECONFIG} (mode 0600)`, ...(upload ? [`store it in vault ${cluster.onepassword.vault}, item ${cluster.onepassword.items.kubeconfig}`] : [])] });
    await writeFile(env.KUBECONFIG!, text, { mode: 0o600 });
    if (upload) await store(context, text);
    ui.say(`${env.KUBECONFIG} leads to ${cluster.endpoint.url}${upload ? ", and is in the vault" : ""}`);
  },
});

/** The administrator's kubeconfig, from the first control plane that gives one; proven to lead to this cluster. Holds secrets. */
export async function fetchKubeconfig(context: Context): Promise<string> {
  const { cluster, vault } = context;
  await expectTalosconfig(context);
  const ca = reference(cluster, "talos", "CLUSTER_CA_CRT");
  const said: string[] = [];
  for (const node of cluster.nodes) {
    const got = await ask({ timeout: "30s" })`talosctl ${at(context, node)} kubeconfig - --merge=false --force-context-name ${cluster.name}`.nothrow();
    if (got.exitCode !== 0) {
      said.push(`${node.name}: ${textOf(got)}`);
      continue;
    }
    hide(secretsOf(got.stdout));
    const stranger = await strangeness(got.stdout, cluster, (await vault.resolve([ca])).get(ca)!);
    if (!stranger) return got.stdout;
    said.push(`${node.name}: gave a kubeconfig of another cluster: ${stranger}`);
  }
  throw new Failure({ attempted: "fetch the kubeconfig", said: said.join("\n"), next: "task talos:status" });
}

/** What shows that $KUBECONFIG holds something else already; undefined when it is ours, empty or not there. */
export async function foreignKubeconfig({ env, cluster, vault }: Pick<Context, "env" | "cluster" | "vault">): Promise<string | undefined> {
  const held = await readIfThere(env.KUBECONFIG!);
  if (!held?.trim()) return undefined;
  const ca = reference(cluster, "talos", "CLUSTER_CA_CRT");
  return strangeness(held, cluster, (await vault.resolve([ca])).get(ca)!);
}

const secretsOf = (text: string) => [...text.matchAll(/(?:client-key-data|token): *(\S+)/g)].map(([, value]) => value!);

/** The kubeconfig is one field of its item, and replaces the one before; everything else of the item stays. */
async function store({ cluster }: Context, text: string): Promise<void> {
  const { vault, items } = cluster.onepassword;
  const read = async () => {
    const listed = (await listItems(vault)).find(({ title }) => title === items.kubeconfig);
    return listed && getItem(listed, vault);
  };
  const item = await read();
  const field = { field: "kubeconfig", value: text, public: false };
  if (item) {
    const input = withFields({ ...item, fields: (item.fields ?? []).filter(({ label }) => label !== field.field) }, [field]);
    await $({ input, timeout: "1m" })`cat | op item edit ${item.id} --vault ${vault} --format json`;
  } else {
    await $({ input: newItem(items.kubeconfig, [field]), timeout: "1m" })`cat | op item create - --vault ${vault} --format json`;
  }
  if (valueOf(await read(), field.field) === text) return;
  throw new Failure({ attempted: "store the kubeconfig in the vault", said: "the vault does not hold what was sent", next: "task talos:kubeconfig UPLOAD=1" });
}

await main(import.meta, kubeconfig);
