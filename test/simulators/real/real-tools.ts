// The real command-line tools and servers that `npm run tools:build` has built, for a home that uses them.
import { builtTools } from "../../tools/find.ts";

export interface RealTools {
  /** What the product calls, by name: path of the executable. */
  commands: Record<string, string>;
  /** What runs behind them. */
  servers: { etcd: string; kubeApiserver: string; vcsim: string };
}

const COMMANDS = ["talosctl", "kubectl", "helm", "helmfile", "flux", "sops", "govc"];
const SERVERS = { etcd: "etcd", kubeApiserver: "kube-apiserver", vcsim: "vcsim" };

/** Throws one line that names the missing ones and how to get them. */
export function realTools(): RealTools {
  const all = builtTools().pick([...COMMANDS, ...Object.values(SERVERS)]);
  const [etcd, kubeApiserver, vcsim] = [all[SERVERS.etcd]!, all[SERVERS.kubeApiserver]!, all[SERVERS.vcsim]!];
  return { commands: Object.fromEntries(COMMANDS.map((name) => [name, all[name]!])), servers: { etcd, kubeApiserver, vcsim } };
}
