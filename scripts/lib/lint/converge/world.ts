// An index of the tree's objects for the simulation, with the facts about charts and the settings of the home.
import type { FluxKustomization, Located, Source, Tree } from "../../tree/types.ts";
import type { Charts } from "./chart-keys.ts";
import { existsKey } from "./keys.ts";
import type { Key } from "./step.ts";

/** Input of the simulation besides the tree. */
export interface SimulationInput {
  charts: Charts;
  /** Of talos/cluster.yaml. */
  cluster?: { domain: string; endpoint: string; gateways: { from: string; to: string } };
}

/** A release without a chart description, or a Kustomization from another repository: what it provides is unknown. */
export interface Undescribed {
  /** Undefined where it may bring things anywhere. */
  namespace?: string;
  /** `HelmRelease media/jellyfin` */
  name: string;
  /** Its chart's address, or where its files are. */
  from: string;
  source: Source;
}

export interface World {
  tree: Tree;
  input: SimulationInput;
  /** Objects by `exists:` key, those of the bootstrap too. */
  objects: ReadonlyMap<Key, Located>;
  /** All objects of a kind, from the tree and the bootstrap. */
  ofKind(kind: string): readonly Located[];
  kustomizations: ReadonlyMap<string, FluxKustomization>;
  /** Kustomizations that another one applies, by `namespace/name` of the parent. */
  childrenOf(parent: string): readonly FluxKustomization[];
  /** APIs that a chart of this tree or its bootstrap works on, or whose objects its webhook admits. */
  controlled: Set<string>;
  admitted: Set<string>;
  /** Items of the password store that a PushSecret here writes. */
  pushed: Set<Key>;
  /** Host names from which external-dns would make a record, with the object that says so. */
  published: Map<string, Located>;
  /** helm-controller's feature gate DefaultToRetryOnFailure is on. */
  retriesByDefault: boolean;
  /** Releases and sources without a description. */
  undescribed: Undescribed[];
}

export const idOf = ({ namespace, name }: { namespace: string; name: string }) => `${namespace}/${name}`;

/** Indexes every object once. */
export function worldOf(tree: Tree, input: SimulationInput): World {
  const objects = new Map<Key, Located>();
  const kinds = new Map<string, Located[]>();
  const children = new Map<string, FluxKustomization[]>();
  const add = (located: Located) => {
    const key = existsKey(located.object);
    if (!objects.has(key)) objects.set(key, located);
    const others = kinds.get(located.object.kind);
    if (others) others.push(located);
    else kinds.set(located.object.kind, [located]);
  };
  for (const located of tree.bootstrap.objects) add(located);
  for (const kustomization of tree.kustomizations) {
    for (const located of kustomization.built) add(located);
    if (kustomization.parent === undefined) continue;
    const siblings = children.get(kustomization.parent);
    if (siblings) siblings.push(kustomization);
    else children.set(kustomization.parent, [kustomization]);
  }
  return {
    tree,
    input,
    objects,
    ofKind: (kind) => kinds.get(kind) ?? [],
    kustomizations: new Map(tree.kustomizations.map((one) => [idOf(one), one])),
    childrenOf: (parent) => children.get(parent) ?? [],
    controlled: new Set(),
    admitted: new Set(),
    pushed: new Set(),
    published: new Map(),
    undescribed: unreadableBootstrap(tree),
    retriesByDefault: ["HelmRelease", "FluxInstance"].some((kind) =>
      kinds
        .get(kind)
        ?.some(({ object }) => /flux/.test(object.metadata.name) && JSON.stringify(object.spec).includes("DefaultToRetryOnFailure=true")),
    ),
  };
}

export const BOOTSTRAP = "the bootstrap";

/** A bootstrap that is missing or is not a helmfile may provide anything. */
function unreadableBootstrap({ bootstrap, kustomizations }: Tree): Undescribed[] {
  if (bootstrap.objects.length + bootstrap.releases.length + bootstrap.crdCharts.length > 0) return [];
  const source = kustomizations[0]?.source ?? { file: ".", line: 1 };
  return [{ name: BOOTSTRAP, from: "the bootstrap of this tree", source }];
}
