// The stand-in for flux (v2.9.4): its version, a look at what is not ready, and `reconcile`, which is an annotation.
import { kindWord } from "../world/cluster-kinds.ts";
import { entriesOf, type KubeObject } from "../world/cluster-store.ts";
import { type Tool, Untaught } from "../world/tool.ts";
import { type Flag, readFlags } from "./flags.ts";
import { KubeError, moment, reachApi, reading, writing } from "./kubectl-client.ts";
import { columns } from "./table.ts";

const FLAGS: Record<string, Flag> = {
  client: { is: "switch" },
  version: { is: "switch", short: "v" },
  namespace: { is: "text", short: "n" },
  "all-namespaces": { is: "switch", short: "A" },
  "status-selector": { is: "text" },
  "with-source": { is: "switch" },
  timeout: { is: "text" },
  kubeconfig: { is: "text" },
};

const KINDS: Record<string, string> = {
  "source git": "gitrepositories.source.toolkit.fluxcd.io",
  "source oci": "ocirepositories.source.toolkit.fluxcd.io",
  kustomization: "kustomizations.kustomize.toolkit.fluxcd.io",
  ks: "kustomizations.kustomize.toolkit.fluxcd.io",
  helmrelease: "helmreleases.helm.toolkit.fluxcd.io",
  hr: "helmreleases.helm.toolkit.fluxcd.io",
};
const PATIENCE_MS = 8_000;

export const flux: Tool = async (world, call) => {
  const words = readFlags(call.argv, FLAGS);
  const [command, ...rest] = words.rest;
  if (words.on("version") || (command === "version" && words.on("client"))) {
    call.out(words.on("version") ? "flux version 2.9.4\n" : "flux: v2.9.4\n");
    return 0;
  }
  try {
    await reachApi({ world, call, words, rest });
    const namespace = words.text("namespace") ?? "flux-system";
    if (command === "get" && rest.join(" ") === "all") {
      const only = words.text("status-selector");
      if (only !== undefined && only !== "ready=false") throw new Untaught(`--status-selector ${only}`);
      for (const resource of new Set(Object.values(KINDS))) {
        const rows = entriesOf(world.state.cluster, resource)
          .map(({ object }) => object)
          .filter(
            (object) =>
              (words.on("all-namespaces") || object.metadata.namespace === namespace) && !(only && readyOf(object)?.status === "True"),
          )
          .map((object) => [
            object.metadata.namespace!,
            `${object.kind.toLowerCase()}/${object.metadata.name}`,
            object.spec.suspend === true ? "True" : "False",
            readyOf(object)?.status ?? "Unknown",
            readyOf(object)?.message ?? "",
          ]);
        if (rows.length > 0) call.out(`${columns([["NAMESPACE", "NAME", "SUSPENDED", "READY", "MESSAGE"], ...rows])}\n`);
      }
      return 0;
    }
    if (command !== "reconcile") throw new Untaught(`flux ${call.argv.join(" ")}`);
    const [word, name] = rest[0] === "source" ? [`source ${rest[1]}`, rest[2]] : [rest[0] ?? "", rest[1]];
    const resource = KINDS[word];
    if (resource === undefined || name === undefined) throw new Untaught(`flux ${call.argv.join(" ")}`);
    const targets: [string, string, string][] = [[resource, namespace, name]];
    const kind = kindWord(world.state.cluster, resource);
    const object = kind && reading(world).get(kind, namespace, name)?.object;
    if (!kind || !object) throw new KubeError(`✗ ${resource} ${JSON.stringify(name)} not found`);
    if (words.on("with-source") && object.spec.sourceRef)
      targets.unshift([KINDS["source git"]!, object.spec.sourceRef.namespace ?? namespace, object.spec.sourceRef.name]);
    for (const [resource, namespace, name] of targets) {
      const kind = kindWord(world.state.cluster, resource)!;
      call.err(`► annotating ${kind.kind} ${name} in ${namespace} namespace\n`);
      const asked = new Date(world.now()).toISOString();
      writing(world, `flux reconcile ${name}`, (store) =>
        store.patch(kind, namespace, name, { metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": asked } } }),
      );
      call.err(`✔ ${kind.kind} annotated\n◎ waiting for ${kind.kind} reconciliation\n`);
      const until = Date.now() + PATIENCE_MS;
      const now = () => reading(world).get(kind, namespace, name)!.object;
      while (now().status?.lastHandledReconcileAt !== asked || readyOf(now())?.status === "Unknown") {
        if (Date.now() > until) throw new KubeError("✗ context deadline exceeded");
        await moment();
      }
      if (readyOf(now())?.status !== "True") throw new KubeError(`✗ ${kind.kind} reconciliation failed: ${readyOf(now())?.message}`);
      call.err(`✔ ${readyOf(now())?.message}\n`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

const readyOf = ({ status }: KubeObject): { status: string; message: string } | undefined =>
  status?.conditions?.find(({ type }: any) => type === "Ready");
