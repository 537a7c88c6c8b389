// Shows the state of the simulated home: machines, cluster, faults.
import { Failure } from "../lib/run/errors.ts";
import { text } from "../lib/run/options.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { ask } from "../lib/run/shell.ts";
import { executable, homeFolder, labTask, lookAt, USUAL_NAME } from "../lib/lab/simulated-home.ts";
import { readJson } from "../lib/run/tool-output.ts";
import { table } from "../lib/run/ui.ts";

interface Status {
  machines: { vm: string; address: string; hostname: string; stage: string; talos?: string; etcd: boolean; complaint?: string }[];
  api: string;
  faults: Record<string, number>;
  vault: { items: string[] };
}

/** The status as text: one table, then the rest. */
export function describe({ machines, api, faults, vault }: Status): string {
  const rows = machines.map(({ vm, hostname, address, stage, talos, etcd, complaint }) => [
    vm,
    hostname,
    address,
    stage,
    talos,
    etcd ? "member" : undefined,
    complaint,
  ]);
  return [
    ...(rows.length > 0 ? [table(["VM", "NODE", "ADDRESS", "STAGE", "TALOS", "ETCD", "SAYS"], rows)] : ["no machine was started yet"]),
    "",
    `Kubernetes API: ${api}`,
    `1Password:      ${vault.items.length > 0 ? vault.items.join(", ") : "the vault is empty"}`,
    `faults:         ${Object.keys(faults).join(", ") || "none"}`,
  ].join("\n");
}

export const status = procedure({
  name: "lab:status",
  about: "show a simulated home",
  cluster: false,
  scope: "none",
  readOnly: true,
  options: { name: text("its name", USUAL_NAME) },
  async run({ name: home }, { ui, env }) {
    const folder = homeFolder(env.HOME_OPS_STATE!, home);
    if (lookAt(folder).pid === undefined)
      throw new Failure({ attempted: "show the simulated home", said: `no home is running in ${folder}`, next: labTask("up", home) });
    const { explained } = await import("../lib/run/explained.ts");
    const said = await explained({ attempted: "ask the simulated home for its state", next: labTask("down", home) }, () =>
      ask`${executable(folder, "home")} status`.text(),
    );
    const seen = readJson<Status>(said, { command: "bin/home status" }, {});
    ui.result(seen, describe(seen));
  },
});

await main(import.meta, status);
