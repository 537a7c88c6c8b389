// A machine config as a node reads it: the documents, what it must have, and what the home needs to know of it. Errors are in the loader's words.
import { isMap, LineCounter, type Node, parseAllDocuments, stringify } from "yaml";
import { typesOfKind } from "../../../../scripts/lib/talos/patch-types.ts";
import { knownTo, resolve, unknownKeys } from "./machine-config-schema.ts";
import { misfitsOf, type Schema } from "./machine-config-types.ts";

export interface MachineConfig {
  type: string;
  hostname: string | undefined;
  /** Names and addresses for which its API's certificate stands besides its own. */
  certSANs: string[];
  /** Static addresses, without their prefix. */
  addresses: string[];
  vip: string | undefined;
  install: { disk: string | undefined; selects: boolean; image: string | undefined };
  /** PEM of Talos' CA, and of its key. */
  ca: Pair;
  cluster: {
    id: string;
    name: string;
    endpoint: string;
    ca: Pair;
    /** PEM of the key that signs service accounts' tokens; empty where the config has none. */
    serviceAccountKey: string;
    podSubnets: string[];
    serviceSubnets: string[];
  };
  /** `v1.36.5`, from the kubelet's image. */
  kubernetes: string | undefined;
  /** Images of the kubelet and of the control plane's components. */
  images: Record<"kubelet" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler", string>;
  labels: Record<string, string>;
  taints: Record<string, string>;
  /** Kinds of the documents besides v1alpha1. */
  kinds: string[];
}

export interface Pair {
  crt: string;
  key: string;
}

type Tree = { [key: string]: Tree } & { [key: string]: any };

/** The documents of a config as a minor version of Talos loads them, or the loader's error. */
export function loadDocuments(text: string, minor = 13): { documents: Tree[] } | { error: string } {
  const { defs, kinds } = knownTo(minor);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, logLevel: "silent", merge: true, uniqueKeys: true });
  if (!Array.isArray(parsed)) return { error: "config not found" };
  const documents: Tree[] = [];
  const seen = new Set<string>();
  for (const document of parsed) {
    const [problem] = document.errors;
    if (problem) return { error: `decode error: yaml: ${problem.message.split("\n")[0]}` };
    if (document.contents === null) continue;
    if (!isMap(document.contents)) return { error: "decode error: expected a mapping at the top of the document" };
    const tree = document.toJS() as Tree;
    const line = text.slice(0, document.contents.range?.[0] ?? 0).split("\n").length;
    const { apiVersion = "", kind = "", name = "" } = tree as unknown as Record<string, string>;
    if (!kind && tree.version !== ("v1alpha1" as unknown) && !tree.machine && !tree.cluster)
      return { error: `error decoding document ${apiVersion}// (line ${line}): missing kind` };
    const schema = kind ? kinds[kind] : defs["v1alpha1.Config"];
    if (!schema)
      return { error: `error decoding document ${apiVersion}/${kind}/ (line ${line}): "${kind}" "${apiVersion}": not registered` };
    const place = {
      document,
      minor,
      line: (node: Node) => lines.linePos(node.range?.[0] ?? 0).line,
      schema: (of: Schema) => resolve(defs, of),
    };
    const types = typesOfKind(kind || "v1alpha1");
    const misfits = misfitsOf(place, document.contents, schema, types);
    if (misfits.length > 0) {
      const type = kind ? `${kind} to *${kind}` : " to *v1alpha1.Config";
      return {
        error: `error decoding document ${apiVersion || "/v1alpha1"}/${kind}${kind ? `/${name}` : ""} (line ${line}): error decoding ${type}: yaml: construct errors:\n  ${misfits.join("\n  ")}`,
      };
    }
    const unknown = unknownKeys(tree, schema, defs, types);
    if (unknown)
      return {
        error: `error decoding document ${apiVersion || "/v1alpha1"}/${kind}${kind ? "/" : ""} (line ${line}): unknown keys found during decoding:\n${stringify(unknown, { indent: 4 })}`,
      };
    const key = [apiVersion, kind, name].join("/");
    if (seen.has(key)) return { error: `duplicate document ${key}` };
    seen.add(key);
    documents.push(tree);
  }
  return documents.length === 0 ? { error: "config not found" } : { documents };
}

/** What `talosctl validate` and the node find wrong: one list per document, in Go's multi-line form. Undefined when nothing is. Strictly, warnings count too. */
export function validate(documents: Tree[], { minor = 13, strict = false } = {}): string | undefined {
  const config = documents.find(({ kind }) => !kind);
  if (!config) return undefined;
  const { machine = {}, cluster = {} } = config as Tree;
  const controlPlane = machine.type === ("controlplane" as unknown);
  const errors = [
    ...(config.machine ? [] : ["machine instructions are required"]),
    ...(config.cluster ? [] : ["cluster instructions are required"]),
    ...(config.cluster && !cluster.controlPlane?.endpoint ? ["cluster controlplane endpoint is required"] : []),
    ...(machine.install
      ? machine.install.disk || machine.install.diskSelector
        ? []
        : ["either install disk or diskSelector should be defined"]
      : ['install instructions are required in "metal" mode']),
    ...(!controlPlane && cluster.etcd ? ["etcd config is only allowed on control plane machines"] : []),
    ...(!controlPlane && cluster.ca?.key ? ["cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)"] : []),
    ...(config.machine && !["controlplane", "worker", "init"].includes(String(machine.type))
      ? [`unknown machine type ${JSON.stringify(machine.type ?? "")}`]
      : []),
    ...(config.machine && !machine.ca?.crt ? ["trusted CA certificate is required (.machine.ca)"] : []),
    ...(controlPlane && !machine.ca?.key ? ["issuing Talos API CA key is required (.machine.ca.key)"] : []),
    ...conflicts(documents, machine),
    ...(strict ? warnings(machine, minor).map((warning) => `warning: ${warning}`) : []),
  ];
  if (errors.length === 0) return undefined;
  return `1 error occurred:\n\t* v1alpha1.Config: ${errors.length} error${errors.length > 1 ? "s" : ""} occurred:\n${errors.map((error) => `\t* ${error}\n`).join("")}\n\n\n`;
}

const warnings = (machine: Tree, minor: number) => [
  ...(minor >= 14 && (machine.files as unknown as unknown[] | undefined)?.length
    ? [".machine.files is deprecated; use dedicated configuration documents instead"]
    : []),
  ...(minor >= 14 && Object.keys(machine.baseRuntimeSpecOverrides ?? {}).length > 0
    ? [".machine.baseRuntimeSpecOverrides is deprecated; use a CRIBaseRuntimeSpecConfig document instead"]
    : []),
];

const conflicts = (documents: Tree[], machine: Tree) =>
  documents.some(({ kind, hostname }) => kind === ("HostnameConfig" as unknown) && hostname) && machine.network?.hostname
    ? ["static hostname is already set in v1alpha1 config"]
    : [];

/** The image that a component is given, or the usual one in the kubelet's version. */
const component = (given: { image?: string } | undefined, name: string, kubelet: string) =>
  given?.image ?? `registry.k8s.io/${name}:${/:(v[\d.]+)/.exec(kubelet)?.[1] ?? "v1.36.5"}`;

const decode = (text: unknown) => Buffer.from(String(text ?? ""), "base64").toString();
const pair = (tree: Tree | undefined): Pair => ({ crt: decode(tree?.crt), key: decode(tree?.key) });

const cache = new Map<string, { config: MachineConfig } | { error: string }>();

/** Reads a config that has a v1alpha1 document; its errors are the loader's or the validation's. */
export function readMachineConfig(text: string, minor = 13): { config: MachineConfig } | { error: string } {
  const had = cache.get(`${minor}\0${text}`);
  if (had) return had;
  const loaded = loadDocuments(text, minor);
  const read = "error" in loaded ? loaded : interpret(loaded.documents);
  if (cache.size > 500) cache.clear();
  cache.set(`${minor}\0${text}`, read);
  return read;
}

function interpret(documents: Tree[]): { config: MachineConfig } | { error: string } {
  const wrong = validate(documents);
  if (wrong !== undefined) return { error: wrong };
  const config = documents.find(({ kind }) => !kind) as Tree | undefined;
  if (!config)
    return {
      error: "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?",
    };
  const { machine = {}, cluster = {} } = config as { machine?: any; cluster?: any };
  const others = documents.filter(({ kind }) => kind) as any[];
  const of = (kind: string) => others.filter((document) => document.kind === kind);
  const interfaces: any[] = machine.network?.interfaces ?? [];
  const addresses = [
    ...interfaces.flatMap(({ addresses = [] }) => addresses),
    ...of("LinkConfig").flatMap(({ addresses = [] }) => addresses.map(({ address }: { address: string }) => address)),
  ];
  const image = String(machine.kubelet?.image ?? "");
  return {
    config: {
      type: machine.type,
      hostname: machine.network?.hostname ?? of("HostnameConfig")[0]?.hostname,
      certSANs: (machine.certSANs ?? []).map(String),
      addresses: addresses.map((address: string) => address.split("/")[0]!),
      vip: interfaces.map(({ vip }) => vip?.ip).find(Boolean) ?? of("Layer2VIPConfig")[0]?.name,
      install: { disk: machine.install?.disk, selects: Boolean(machine.install?.diskSelector), image: machine.install?.image },
      ca: pair(machine.ca),
      cluster: {
        id: String(cluster.id ?? ""),
        name: String(cluster.clusterName ?? ""),
        endpoint: String(cluster.controlPlane.endpoint),
        ca: pair(cluster.ca),
        serviceAccountKey: decode(cluster.serviceAccount?.key),
        podSubnets: cluster.network?.podSubnets ?? ["10.244.0.0/16"],
        serviceSubnets: cluster.network?.serviceSubnets ?? ["10.96.0.0/12"],
      },
      kubernetes: /:(v[\d.]+)/.exec(image)?.[1],
      images: {
        kubelet: image,
        "kube-apiserver": component(cluster.apiServer, "kube-apiserver", image),
        "kube-controller-manager": component(cluster.controllerManager, "kube-controller-manager", image),
        "kube-scheduler": component(cluster.scheduler, "kube-scheduler", image),
      },
      labels: machine.nodeLabels ?? {},
      taints: machine.nodeTaints ?? {},
      kinds: others.map(({ kind }) => kind),
    },
  };
}
