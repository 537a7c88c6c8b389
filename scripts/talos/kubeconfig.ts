// Fetches the kubeconfig from a control plane into $KUBECONFIG; into the vault only when asked.
import type { Context } from "../lib/run/context.ts";
import { Failure } from "../lib/run/errors.ts";
import { flag } from "../lib/run/options.ts";
import { describeStep, type Plan } from "../lib/run/plan.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import type { StoredItem } from "../lib/secrets/op.ts";
import { toAct } from "../lib/run/to-act.ts";

const { operatorVaultOf } = await toAct(() => import("../lib/cluster/cluster.ts"));
const { explained } = await toAct(() => import("../lib/run/explained.ts"));
const { readIfThere, writeFile } = await toAct(() => import("../lib/run/files.ts"));
const { newItem, valueOf, withFields } = await toAct(() => import("../lib/secrets/items.ts"));
const { getItem, listItems } = await toAct(() => import("../lib/secrets/op.ts"));
const { daysLeft, fetchKubeconfig, foreignKubeconfig } = await toAct(() => import("../lib/talos/kubeconfig.ts"));
const { RENEW_DAYS } = await toAct(() => import("../lib/talos/talosconfig.ts"));

const FIELD = "kubeconfig";

export const kubeconfig = procedure({
  name: "talos:kubeconfig",
  about: "fetch the kubeconfig into $KUBECONFIG",
  options: { upload: flag("also store it in 1Password, item kubeconfig") },
  async run({ upload }, context) {
    const { env, ui, cluster } = context;
    const file = env.KUBECONFIG!;
    const vault = operatorVaultOf(cluster);
    const { steps, text, stored, days, writes, sends } = await context.confirm(() => planKubeconfig(context, upload));
    if (steps.length === 0)
      return ui.say(
        upload
          ? `${file} is good for ${days} days and is in vault ${vault}`
          : `${file} leads to ${cluster.endpoint.url} and is good for ${days} days`,
      );
    if (writes) await writeFile(file, text, { mode: 0o600 });
    if (sends) await store(context, stored, text);
    ui.say(`${file} leads to ${cluster.endpoint.url}${upload ? `, and is in vault ${vault}` : ""}`);
  },
});

interface KubeconfigPlan extends Plan {
  text: string;
  stored: StoredItem | undefined;
  /** Days for which the present file is good. */
  days: number;
  writes: boolean;
  sends: boolean;
}

/** A present kubeconfig is kept while it is good; a new one is fetched, which changes nothing on the node. */
async function planKubeconfig(context: Context, upload: boolean): Promise<KubeconfigPlan> {
  const { env, cluster } = context;
  const file = env.KUBECONFIG!;
  const { items } = cluster.onepassword;
  const vault = operatorVaultOf(cluster);
  const stranger = await foreignKubeconfig(context);
  if (stranger)
    throw new Failure({
      attempted: `write ${file}`,
      said: stranger,
      now: "it was left as it is",
      next: "move it away or set KUBECONFIG, then: task talos:kubeconfig",
    });
  const days = (await daysLeft(context, Date.now())) ?? 0;
  const writes = days < RENEW_DAYS;
  const text = writes ? await fetchKubeconfig(context) : (await readIfThere(file))!;
  const stored = upload ? await storedItem(context) : undefined;
  const sends = upload && valueOf(stored, FIELD) !== text;
  const item = `vault ${vault}, item ${items.kubeconfig}${valueOf(stored, FIELD) ? ", in place of the one there" : ""}`;
  const steps = [
    ...(writes ? [{ action: "write", target: `${file} (mode 0600)` }] : []),
    ...(sends ? [{ action: "store it in", target: item }] : []),
  ];
  return { title: "talos:kubeconfig", lines: steps.map(describeStep), steps, text, stored, days, writes, sends };
}

async function storedItem({ cluster }: Context): Promise<StoredItem | undefined> {
  const { items } = cluster.onepassword;
  const vault = operatorVaultOf(cluster);
  const listed = (await listItems(vault)).find(({ title }) => title === items.kubeconfig);
  return listed && getItem(listed, vault);
}

/** The kubeconfig is one field of its item and replaces the one before; everything else of the item stays. */
async function store(context: Context, item: StoredItem | undefined, text: string): Promise<void> {
  const { items } = context.cluster.onepassword;
  const vault = operatorVaultOf(context.cluster);
  const field = { field: FIELD, value: text, public: false };
  const account = {
    attempted: "store the kubeconfig in the vault",
    now: "the vault may hold an older kubeconfig",
    next: "task talos:kubeconfig UPLOAD=1",
  };
  if (item) {
    const input = withFields({ ...item, fields: (item.fields ?? []).filter(({ label }) => label !== FIELD) }, [field]);
    await explained(account, () => $({ input, timeout: "1m" })`cat | op item edit ${item.id} --vault ${vault} --format=json`);
  } else {
    const input = newItem(items.kubeconfig, [field]);
    await explained(account, () => $({ input, timeout: "1m" })`cat | op item create - --vault ${vault} --format=json`);
  }
  if (valueOf(await storedItem(context), FIELD) === text) return;
  throw new Failure({
    attempted: "store the kubeconfig in the vault",
    said: "the vault does not hold what was sent",
    next: "task talos:kubeconfig UPLOAD=1",
  });
}

await main(import.meta, kubeconfig);
