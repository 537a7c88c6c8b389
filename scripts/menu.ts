// The menu that `task` prints: the daily targets by purpose. `task --list` shows all targets.
import { main, procedure } from "./lib/run/procedure.ts";

/** At most 20 targets with their purpose; `task --list` has the others. */
export const MENU: Record<string, [target: string, what: string][]> = {
  try: [
    ["lab:rehearse", "live the first day against a simulated home"],
    ["lab:up", "start a simulated home; lab:run runs a target in it"],
  ],
  start: [
    ["secrets:init", "create the secrets, list what only you can fetch"],
    ["talos:talosconfig", "derive the access to Talos from them; renews it"],
    ["talos:prepare-iso", "build the Talos ISO and put it on the NAS"],
    ["vm:deploy", "create and boot the VMs"],
    ["bootstrap", "turn booted nodes into a cluster; resumes"],
  ],
  look: [
    ["talos:status", "show all nodes in one table"],
    ["bootstrap:preflight", "check tools, secrets, configs, nodes, hosts"],
    ["secrets:check", "list which secrets resolve"],
    ["lint", "run every check of the files"],
  ],
  change: [
    ["configure", "write talos/cluster.yaml into kubernetes/"],
    ["talos:diff", "show what talos:apply changes"],
    ["talos:apply NODE=", "apply a node's machine config"],
    ["flux:diff APP=", "show what Flux changes for an application"],
    ["flux:sync", "let Flux apply what was pushed, and wait"],
    ["volsync:identity", "record the backup repository"],
  ],
  fix: [
    ["talos:kubeconfig", "fetch the kubeconfig again"],
    ["leftovers", "list what an interrupted run left; UNDO=1 undoes it"],
  ],
};

export const menu = procedure({
  name: "menu",
  about: "show the daily targets by purpose",
  cluster: false,
  scope: "none",
  readOnly: true,
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
