// Command lines that change something, or are refused because they would: as the product says them, with what it gives them on stdin.
import { parseAllDocuments } from "yaml";

export interface Change {
  line: string;
  stdin?: string;
}

const NODE = '--talosconfig "$TALOSCONFIG" --endpoints 192.168.122.10 --nodes 192.168.122.10';
const send = (stdin: string, ...how: string[]): Change => ({
  line: ["cat | talosctl apply-config", NODE, ...how, "--file /dev/stdin"].join(" "),
  stdin,
});
const kubectl = (stdin: string): Change => ({
  line: "cat | kubectl apply --server-side --force-conflicts --field-manager home-ops --filename -",
  stdin,
});

/** In the order in which they are said; `config` is what the node holds. */
export function changing(config: string): Change[] {
  const live = edited(config, ["machine", "sysctls", "net.core.somaxconn"], "4096");
  const reboots = edited(config, ["machine", "features", "rbac"], false);
  return [
    send(config, "--mode auto", "--dry-run"),
    send(live, "--mode auto", "--dry-run"),
    send(reboots, "--mode auto", "--dry-run"),
    send(reboots, "--mode no-reboot", "--dry-run"),
    send(reboots, "--mode no-reboot"),
    send("machine: [", "--mode auto"),
    send("machine: {typo: 1}\n", "--mode auto"),
    send("", "--mode auto"),
    send(live, "--mode staged"),
    send(live, "--mode no-reboot"),
    send(config, "--mode auto"),
    { line: `talosctl ${NODE} bootstrap` },
    kubectl(CONFIG_MAP),
    kubectl(CONFIG_MAP.replace("one", "two")),
    kubectl(CONFIG_MAP.replace("namespace: default", "namespace: nowhere")),
    kubectl(CONFIG_MAP.replace("v1", "example.com/v1")),
    kubectl(`${CONFIG_MAP.replace("example", "second")}---\n${CONFIG_MAP.replace("namespace: default", "namespace: nowhere")}`),
    { line: "kubectl get configmaps --namespace default --output json" },
    { line: "flux suspend kustomization nothing --namespace kube-system" },
    { line: "flux resume kustomization nothing --namespace kube-system" },
    { line: "flux suspend kustomization spegel --namespace kube-system" },
    { line: "helm rollback coredns --namespace kube-system --wait --timeout 5m" },
    { line: "helm rollback nothing --namespace kube-system --wait --timeout 5m" },
    { line: "helm uninstall coredns --namespace kube-system --wait --timeout 5m" },
    { line: "helm uninstall coredns --namespace kube-system --wait --timeout 5m" },
    { line: "helmfile --file bootstrap/helmfile.d/01-apps.yaml --selector name=coredns sync --hide-notes" },
    { line: "helmfile --file bootstrap/helmfile.d/01-apps.yaml --selector name=nothing sync --hide-notes" },
  ];
}

const CONFIG_MAP = `apiVersion: v1
kind: ConfigMap
metadata:
  name: example
  namespace: default
data:
  a: one
`;

/** The config with one value changed, everything else as it stands. */
function edited(config: string, path: string[], value: unknown): string {
  const documents = parseAllDocuments(config);
  if (!Array.isArray(documents)) throw new Error("the node holds no config");
  const main = documents.find((document) => document.has("machine"))!;
  main.setIn(path, value);
  return documents.map(String).join("---\n").replaceAll("---\n---\n", "---\n");
}
