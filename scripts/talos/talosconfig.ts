// Derives $TALOSCONFIG from the secrets in the vault. Its certificate lasts a year; the same command renews it.
import type { Context } from "../lib/context.ts";
import { Failure, textOf } from "../lib/errors.ts";
import { readIfThere, writeFile } from "../lib/files.ts";
import { reference } from "../lib/cluster/cluster.ts";
import { main, procedure } from "../lib/procedure.ts";
import { hide } from "../lib/redact.ts";
import { bundleFromFields, TALOS_FIELDS } from "../lib/secrets/talos-bundle.ts";
import { ask } from "../lib/shell.ts";
import { dueInDays, expiryOf, faultOfTalosconfig } from "../lib/talos/talosconfig.ts";

export const talosconfig = procedure({
  name: "talos:talosconfig",
  about: "derive or renew $TALOSCONFIG from the secrets in the vault",
  options: {},
  async run(_values, context) {
    const { env, ui, cluster, vault } = context;
    const file = env.TALOSCONFIG!;
    const held = await readIfThere(file);
    const ca = reference(cluster, "talos", "MACHINE_CA_CRT");
    const fault = await faultOfTalosconfig(held, cluster, (await vault.resolve([ca])).get(ca)!, Date.now());
    if (fault === undefined) return ui.say(`${file} is good for ${dueInDays(await expiryOf(held!), Date.now())} days`);
    if (fault.foreign) throw new Failure({ attempted: `write ${file}`, said: fault.says, now: "it was left as it is", next: "move it away or set TALOSCONFIG, then: task talos:talosconfig" });
    await ui.confirm({ title: `talos:talosconfig: ${fault.says}`, lines: [`write ${file} (mode 0600): administrator of ${cluster.name}, for ${cluster.nodes.map(({ address }) => address).join(", ")}`] });
    const text = await derive(context);
    await writeFile(file, text, { mode: 0o600 });
    ui.say(`${file} is good for ${dueInDays(await expiryOf(text), Date.now())} days`);
  },
});

/** A new talosconfig with the nodes' own addresses as endpoints. talosctl reads the bundle from a pipe and writes to one: no file holds it. */
async function derive({ cluster, vault }: Context): Promise<string> {
  const values = await vault.resolve(TALOS_FIELDS.map((field) => reference(cluster, "talos", field)));
  const input = await bundleFromFields((field) => values.get(reference(cluster, "talos", field))!);
  const made = await ask({ input, timeout: "30s" })`cat | talosctl gen config ${cluster.name} ${cluster.endpoint.url} --with-secrets /dev/stdin --output-types talosconfig --output - | cat`.nothrow();
  if (made.exitCode !== 0) throw new Failure({ attempted: "derive the talosconfig", said: textOf(made), now: "nothing was changed", next: "task secrets:check" });
  const { parse, stringify } = await import("yaml");
  const config = parse(made.stdout) as { context: string; contexts: Record<string, { key: string; endpoints: string[]; nodes: string[] }> };
  const own = config.contexts[config.context]!;
  hide([own.key]);
  own.endpoints = cluster.nodes.map(({ address }) => address);
  own.nodes = [...own.endpoints];
  return stringify(config, { lineWidth: 0 });
}

await main(import.meta, talosconfig);
