// The real command-line tools and servers of a home that stands on them, as `task tools:build` made them.
import { builtTools } from "../tools/find.ts";

export interface RealTools {
  /** What the product calls, by name: path of the executable. */
  commands: Record<string, string>;
  /** What runs behind them. */
  servers: { etcd: string; kubeApiserver: string; vcsim: string };
}

const COMMANDS = ["talosctl", "kubectl", "helm", "helmfile", "flux", "sops", "govc"];

/** Throws one line that names `task tools:build` when one is missing. */
export function realTools(): RealTools {
  const { bin } = builtTools();
  return {
    commands: Object.fromEntries(COMMANDS.map((name) => [name, bin(name)])),
    servers: { etcd: bin("etcd"), kubeApiserver: bin("kube-apiserver"), vcsim: bin("vcsim") },
  };
}
