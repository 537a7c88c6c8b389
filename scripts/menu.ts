// What `task` alone shows: the daily targets, by what a person wants to do. `task --list` has all.
import { main, procedure } from "./lib/procedure.ts";

/** At most 20, each with what it is for; every other target is found with `task --list`. */
export const MENU: Record<string, [target: string, what: string][]> = {
  start: [
    ["lab:rehearse", "live the first day against a simulated home"],
    ["secrets:init", "create the secrets, list what only you can fetch"],
    ["talos:talosconfig", "derive the access to Talos from them"],
    ["talos:prepare-iso", "build the Talos ISO and put it on the NAS"],
    ["vm:deploy", "create and boot the VMs"],
    ["bootstrap", "from booted nodes to what Flux keeps; resumes"],
    ["volsync:identity", "record which Kopia repository belongs to this home"],
  ],
  look: [
    ["talos:status", "all nodes in one table"],
    ["bootstrap:preflight", "tools, secrets, configs, nodes, hosts"],
    ["secrets:check", "which secrets resolve"],
    ["leftovers", "what an interrupted procedure left behind"],
  ],
  change: [
    ["talos:diff", "what talos:apply would change"],
    ["talos:apply NODE=", "apply a node's machine config"],
    ["configure", "bring kubernetes/ in line with talos/cluster.yaml"],
  ],
  fix: [
    ["talos:kubeconfig", "fetch the kubeconfig again"],
    ["talos:talosconfig", "renew the talosconfig"],
    ["leftovers UNDO=1", "undo what was left behind"],
  ],
};

export const menu = procedure({
  name: "menu",
  about: "show the daily targets by intent",
  cluster: false,
  scope: "none",
  options: {},
  async run(_values, { ui }) {
    const width = Math.max(...Object.values(MENU).flatMap((entries) => entries.map(([target]) => target.length)));
    const lines = Object.entries(MENU).flatMap(([intent, entries]) => [
      intent,
      ...entries.map(([target, what]) => `  task ${target.padEnd(width)}  ${what}`),
      "",
    ]);
    ui.result(MENU, [...lines, "DRY_RUN=1 only looks. task --list shows every target, task --summary NAME one."].join("\n"));
  },
});

await main(import.meta, menu);
