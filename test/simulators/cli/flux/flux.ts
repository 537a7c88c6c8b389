// The stand-in for flux (v2.9.4): versions, what is there and in which state, `reconcile`, which is an annotation, `suspend` and `resume`, which are a field.
import { pending } from "../../world/cluster/cluster.ts";
import { kindWord } from "../../world/cluster/kinds.ts";
import { kubelets } from "../../world/talos/machines.ts";
import { type Tool, Untaught } from "../../world/tool.ts";
import { type Flag, readFlags } from "../flags.ts";
import { GETS, readyOf, tableOf } from "./get.ts";
import { type KubeCall, KubeError, moment, reachApi, reading, writing } from "../kubectl/client.ts";
import type { KubeObject } from "../../world/cluster/state.ts";

const SWITCH: Flag = { is: "switch" };
const FLAGS: Record<string, Flag> = {
  client: SWITCH,
  version: { is: "switch", short: "v" },
  output: { is: "text", short: "o" },
  pre: SWITCH,
  namespace: { is: "text", short: "n" },
  "all-namespaces": { is: "switch", short: "A" },
  "status-selector": { is: "text" },
  "with-source": SWITCH,
  timeout: { is: "text" },
  kubeconfig: { is: "text" },
};

interface Kind {
  resource: string;
  kind: string;
  /** How flux speaks of it: "kustomization suspended". */
  human: string;
  /** What it says once it is reconciled. */
  done(object: KubeObject): string;
}

const KUSTOMIZATION: Kind = {
  resource: "kustomizations.kustomize.toolkit.fluxcd.io",
  kind: "Kustomization",
  human: "kustomization",
  done: ({ status }) => `applied revision ${status?.lastAppliedRevision}`,
};
const HELM_RELEASE: Kind = {
  resource: "helmreleases.helm.toolkit.fluxcd.io",
  kind: "HelmRelease",
  human: "helmrelease",
  done: ({ status }) => `applied revision ${status?.history?.[0]?.chartVersion}`,
};
const KINDS: Record<string, Kind> = {
  "source git": {
    resource: "gitrepositories.source.toolkit.fluxcd.io",
    kind: "GitRepository",
    human: "source git",
    done: ({ status }) => `fetched revision ${status?.artifact?.revision}`,
  },
  "source oci": {
    resource: "ocirepositories.source.toolkit.fluxcd.io",
    kind: "OCIRepository",
    human: "source oci",
    done: ({ status }) => `fetched revision ${status?.artifact?.revision}`,
  },
  kustomization: KUSTOMIZATION,
  ks: KUSTOMIZATION,
  helmrelease: HELM_RELEASE,
  hr: HELM_RELEASE,
};
/** In real time, and only to stop a hang: flux gives up here as soon as nothing is under way any more. */
const PATIENCE_MS = 300_000;

export const flux: Tool = async (world, call) => {
  const words = readFlags(call.argv, FLAGS);
  const [command, ...rest] = words.rest;
  const flux = { world, call, words, rest };
  if (words.on("version") || (command === "version" && words.on("client"))) return version(flux);
  try {
    await reachApi(flux);
    if (command === "get") get(flux);
    else if (command === "check" && words.on("pre")) check(flux);
    else if (command === "reconcile") await reconcile(flux);
    else if (command === "suspend") await orNotFound(flux, () => suspend(flux, true));
    else if (command === "resume") await orNotFound(flux, () => resume(flux));
    else throw new Untaught(`flux ${call.argv.join(" ")}`);
    return 0;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    call.err(`${error.message}\n`);
    return 1;
  }
};

function version({ call, words }: KubeCall): 0 {
  const output = words.text("output");
  if (output !== undefined && output !== "json") throw new Untaught(`--output ${output}`);
  if (words.on("version")) call.out("flux version 2.9.4\n");
  else call.out(output === "json" ? `${JSON.stringify({ flux: "v2.9.4" }, null, 2)}\n` : "flux: v2.9.4\n");
  return 0;
}

function check({ world, call }: KubeCall): void {
  const server = kubelets(world)[0]?.kubelet.replace("v", "") ?? "";
  call.err(`► checking prerequisites\n✔ Kubernetes ${server} >=1.33.0-0\n✔ prerequisites checks passed\n`);
}

const namespaceOf = ({ words }: KubeCall) => words.text("namespace") ?? "flux-system";

function get(flux: KubeCall): void {
  const { world, call, words, rest } = flux;
  const only = words.text("status-selector");
  if (only !== undefined && only !== "ready=false") throw new Untaught(`--status-selector ${only}`);
  const [what = "", ...names] = rest[0] === "sources" ? [rest.slice(0, 2).join(" "), ...rest.slice(2)] : rest;
  const name = { ks: "kustomizations", hr: "helmreleases" }[what] ?? what;
  if (names.length > 0 || (name !== "all" && !GETS[name])) throw new Untaught(`flux ${call.argv.join(" ")}`);
  const wanted = { namespace: words.on("all-namespaces") ? undefined : namespaceOf(flux), onlyNotReady: only !== undefined };
  if (name === "all") {
    for (const each of Object.keys(GETS)) {
      const table = tableOf(world, each, { ...wanted, withKind: true });
      if (table) call.out(`${table}\n`);
    }
    return;
  }
  const table = tableOf(world, name, { ...wanted, withKind: false });
  if (table) call.out(table);
  else if (only === undefined) throw new KubeError(`✗ no ${GETS[name]!.kind} objects found in ${wanted.namespace ?? '""'} namespace`);
}

/** The one object that the words name: its kind, where it is, and itself. */
function named(flux: KubeCall) {
  const { world, call, rest } = flux;
  const [word, name, ...more] = rest[0] === "source" ? [`source ${rest[1]}`, ...rest.slice(2)] : rest;
  const kind = KINDS[word ?? ""];
  if (!kind || name === undefined || more.length > 0) throw new Untaught(`flux ${call.argv.join(" ")}`);
  const namespace = namespaceOf(flux);
  const served = kindWord(world.state.cluster, kind.resource);
  if (!served) throw new KubeError(`✗ no matches for kind "${kind.kind}" in version "${kind.resource.split(".").slice(1).join(".")}/v1"`);
  const read = () => reading(world).get(served, namespace, name)?.object;
  if (!read()) throw new NotFound(kind.kind, name, namespace);
  return { kind, served, namespace, name, read: () => read()! };
}

type Named = ReturnType<typeof named>;

/** An object that does not exist: an error of `reconcile`. */
class NotFound extends KubeError {
  readonly inPassing: string;
  constructor(kind: string, name: string, namespace: string) {
    super(`✗ ${kind} object '${name}' not found in ${namespace} namespace`);
    this.inPassing = `✗ ${kind} ${name} not found in ${namespace} namespace`;
  }
}

/** `suspend` and `resume` only mention a name that does not exist, and exit 0. */
async function orNotFound({ call }: KubeCall, act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    call.err(`${error.inPassing}\n`);
  }
}

async function reconcile(flux: KubeCall): Promise<void> {
  const { words } = flux;
  const target = named(flux);
  const { sourceRef, chartRef, suspend } = target.read().spec;
  if (suspend === true) throw new KubeError("✗ resource is suspended");
  const source = sourceRef ?? chartRef;
  if (words.on("with-source") && source) {
    const word = source.kind === "OCIRepository" ? "source oci" : "source git";
    await annotate(
      flux,
      named({ ...flux, rest: [...word.split(" "), source.name], words: inNamespace(words, source.namespace ?? target.namespace) }),
    );
  }
  await annotate(flux, target);
}

const inNamespace = (words: KubeCall["words"], namespace: string): KubeCall["words"] => ({
  ...words,
  text: (name) => (name === "namespace" ? namespace : words.text(name)),
});

async function annotate({ world, call }: KubeCall, { kind, served, namespace, name, read }: Named): Promise<void> {
  call.err(`► annotating ${kind.kind} ${name} in ${namespace} namespace\n`);
  const asked = new Date(world.now()).toISOString();
  writing(world, `flux reconcile ${name}`, (store) =>
    store.patch(served, namespace, name, { metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": asked } } }),
  );
  call.err(`✔ ${kind.kind} annotated\n◎ waiting for ${kind.kind} reconciliation\n`);
  const until = Date.now() + PATIENCE_MS;
  while (read().status?.lastHandledReconcileAt !== asked || readyOf(read())?.status === "Unknown") {
    if (!pending(world) || Date.now() > until) throw new KubeError("✗ context deadline exceeded");
    await moment();
  }
  if (readyOf(read())?.status !== "True") throw new KubeError(`✗ ${kind.kind} reconciliation failed: ${readyOf(read())?.message}`);
  call.err(`✔ ${kind.done(read())}\n`);
}

/** Flips the field; one that is so already is written to all the same, as flux does. */
function suspend(flux: KubeCall, on: boolean): Named {
  const target = named(flux);
  const { kind, served, namespace, name } = target;
  const [doing, done] = on ? ["suspending", "suspended"] : ["resuming", "resumed"];
  flux.call.err(`► ${doing} ${kind.human} ${name} in ${namespace} namespace\n`);
  writing(flux.world, `flux ${on ? "suspend" : "resume"} ${name}`, (store) =>
    store.patch(served, namespace, name, { spec: { suspend: on } }),
  );
  flux.call.err(`✔ ${kind.human} ${done}\n`);
  return target;
}

async function resume(flux: KubeCall): Promise<void> {
  const { kind, name, read } = suspend(flux, false);
  flux.call.err(`◎ waiting for ${kind.kind} reconciliation\n`);
  const until = Date.now() + PATIENCE_MS;
  const settled = () => read().status?.observedGeneration === read().metadata.generation && readyOf(read())?.status !== "Unknown";
  while (!settled()) {
    if (!pending(flux.world) || Date.now() > until)
      throw new KubeError(`✗ ${kind.kind} ${name} reconciliation failed: context deadline exceeded`);
    await moment();
  }
  if (readyOf(read())?.status !== "True") throw new KubeError(`✗ ${kind.kind} ${name} reconciliation failed: ${readyOf(read())?.message}`);
  flux.call.err(`✔ ${kind.kind} ${name} reconciliation completed\n✔ ${kind.done(read())}\n`);
}
