// Derives $TALOSCONFIG from the secrets in the vault. Its certificate lasts a year; the same command renews it.
import { reference } from "../lib/cluster/cluster.ts";
import type { Context } from "../lib/run/context.ts";
import { Failure, textOf } from "../lib/run/errors.ts";
import { readIfThere, writeFile } from "../lib/run/files.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { hide } from "../lib/run/redact.ts";
import { bundleFromFields, TALOS_FIELDS } from "../lib/secrets/talos-bundle.ts";
import { ask } from "../lib/run/shell.ts";
import { dueInDays, expiryOf, faultOfTalosconfig, keysOf, withContext } from "../lib/talos/talosconfig.ts";

export const talosconfig = procedure({
  name: "talos:talosconfig",
  about: "derive or renew $TALOSCONFIG from the secrets in the vault",
  options: {},
  async run(_values, context) {
    const { env, ui, cluster, vault } = context;
    const file = env.TALOSCONFIG!;
    const secrets = await vault.resolve(TALOS_FIELDS.map((field) => reference(cluster, "talos", field)));
    const ca = secrets.get(reference(cluster, "talos", "MACHINE_CA_CRT"))!;
    const addresses = cluster.nodes.map(({ address }) => address);
    const { held, steps } = await context.confirm(async () => {
      const now = await readIfThere(file);
      const fault = await faultOfTalosconfig(now, cluster, ca, Date.now());
      if (fault?.foreign)
        throw new Failure({
          attempted: `write ${file}`,
          said: fault.says,
          now: "it was left as it is",
          next: "move it away or set TALOSCONFIG, then: task talos:talosconfig",
        });
      return {
        title: `talos:talosconfig: ${fault?.says}`,
        lines: [`write ${file} (mode 0600): administrator of ${cluster.name}, at ${addresses.join(", ")}`],
        steps: fault === undefined ? [] : [{ action: "write", target: file }],
        held: now,
      };
    });
    if (steps.length === 0) return ui.say(`${file} is good for ${dueInDays(await expiryOf(held!), Date.now())} days`);
    const text = await withContext(held, await derive(context, secrets), addresses);
    hide(await keysOf(text));
    await writeFile(file, text, { mode: 0o600 });
    const left = await faultOfTalosconfig(await readIfThere(file), cluster, ca, Date.now());
    if (left) throw new Failure({ attempted: `write a good ${file}`, said: left.says, next: "task talos:talosconfig" });
    ui.say(`${file} is good for ${dueInDays(await expiryOf(text), Date.now())} days`);
  },
});

/** A talosconfig as talosctl makes it of the bundle, which it reads from a pipe: no file holds it. */
async function derive({ cluster }: Context, secrets: Map<string, string>): Promise<string> {
  const input = await bundleFromFields((field) => secrets.get(reference(cluster, "talos", field))!);
  const made = await ask({
    input,
  })`cat | talosctl gen config ${cluster.name} ${cluster.endpoint.url} --with-secrets /dev/stdin --output-types talosconfig --output -`.nothrow();
  if (made.exitCode === 0) return made.stdout;
  throw new Failure({ attempted: "derive the talosconfig", said: textOf(made), now: "nothing was changed", next: "task secrets:check" });
}

await main(import.meta, talosconfig);
