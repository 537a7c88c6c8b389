// Everything that is deleted with a Kustomization: what it applied, what its HelmReleases installed, and the same for the Kustomizations that it applied.
import { Failure, textOf } from "../run/errors.ts";
import { explained } from "../run/explained.ts";
import { type KubernetesObject, mayPass, readFound, steady } from "../kubernetes/kubernetes.ts";
import type { ClusterAccess } from "../kubernetes/access.ts";
import { FLUX_HELM, FLUX_KUSTOMIZE, inWords, isKind, isObject, keyOf } from "../tree/object.ts";
import type { KubeObject } from "../tree/types.ts";
import { readYaml } from "../run/tool-output.ts";
import { printDocuments } from "../text/yaml.ts";
import { holdsData, type InventoryEntry, objectOf } from "./app.ts";

/** A Kustomization as the cluster has it. */
export interface Applied extends KubernetesObject {
  spec?: { suspend?: boolean; prune?: boolean; deletionPolicy?: string };
  status?: KubernetesObject["status"] & { inventory?: { entries?: InventoryEntry[] } };
}

export interface Closure {
  /** The objects to delete, which the Kustomization applied itself; those with data first. */
  objects: KubeObject[];
  /** A line for each object that will be deleted, directly or by Helm; those with data first. */
  lines: string[];
  /** Those that hold data. */
  data: string[];
  /** Objects that are marked to be kept. */
  kept: string[];
}

/** The cluster needs these: without them, nothing could restore them. */
const VITAL = ["flux-system", "kube-system", "rook-ceph", "external-secrets"];

/** Refuses to delete what the cluster needs, requested directly or as a dependant. Cannot be waived. */
export function refuseVital(one: Applied, all: readonly Applied[]): void {
  const isVital = ({ metadata: { namespace = "", name } }: Applied) => VITAL.includes(namespace) || name === "cluster-apps";
  const vital = isVital(one) ? [one] : below(one, all).filter(isVital);
  if (vital.length === 0) return;
  throw new Failure({
    attempted: `delete ${one.metadata.namespace}/${one.metadata.name}`,
    said: `the cluster is not itself without ${vital.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ")}`,
    now: "nothing was changed",
    next: "take it out of Git if it must really go; flux:delete is for applications",
  });
}

/** The Kustomizations that it applied, recursively. kustomize-controller does not prune objects of a suspended or unpruned one. */
function below(one: Applied, all: readonly Applied[], seen = new Set<Applied>([one])): Applied[] {
  return inventoryOf(one)
    .filter((object) => isKind(object, "Kustomization", FLUX_KUSTOMIZE))
    .flatMap(({ metadata }) => all.filter((two) => two.metadata.name === metadata.name && two.metadata.namespace === metadata.namespace))
    .filter((child) => !seen.has(child) && seen.add(child))
    .flatMap((child) => [child, ...(prunes(child) ? below(child, all, seen) : [])]);
}

const prunes = ({ spec = {} }: Applied) =>
  !spec.suspend && ({ Orphan: false, Delete: true, WaitForTermination: true }[spec.deletionPolicy ?? "MirrorPrune"] ?? spec.prune === true);

/** What Flux applied. Without an inventory that is unknown: Flux writes one, perhaps empty, as soon as it has applied anything. */
function inventoryOf({ metadata: { namespace, name }, status }: Applied): KubeObject[] {
  const entries = status?.inventory?.entries;
  if (Array.isArray(entries)) return entries.map(objectOf);
  throw new Failure({
    attempted: `list what Flux applied for Kustomization ${namespace}/${name}`,
    said: "its status has no inventory: it is unknown what runs in the cluster",
    now: "nothing was changed",
    next: `flux reconcile kustomization ${name} --namespace ${namespace}, then the same command again`,
  });
}

/** Looks at what lives, so that what is marked to stay is left out, and asks helm what each release has in the cluster. */
export async function closureOf(access: ClusterAccess, one: Applied, all: readonly Applied[]): Promise<Closure> {
  const own = inventoryOf(one);
  const theirs = below(one, all).filter(prunes).flatMap((child) => inventoryOf(child).map((object) => ({ object, by: inWords(child) }))); // prettier-ignore
  const living = await live(access, [...own, ...theirs.map(({ object }) => object)]);
  const stays = (object: KubeObject) => isKept(living.get(keyOf(object)));
  const objects = dataFirst(own.filter((object) => !stays(object)));
  const pruned = theirs.filter(({ object }) => !stays(object));
  const applied = [...objects.map((object) => ({ object, by: "" })), ...pruned];
  const going = [...applied];
  for (const { object } of applied) {
    if (!isKind(object, "HelmRelease", FLUX_HELM)) continue;
    const installed = await manifestOf(access, living.get(keyOf(object)));
    going.push(...installed.map((part) => ({ object: part, by: inWords(object) })));
  }
  const sorted = going.toSorted((a, b) => Number(holdsData(b.object)) - Number(holdsData(a.object)));
  return {
    objects,
    lines: sorted.map(({ object, by }) => `${inWords(object)}${by && ` of ${by}`}${holdsData(object) ? ", and all that is in it" : ""}`),
    data: sorted.filter(({ object }) => holdsData(object)).map(({ object }) => inWords(object)),
    kept: [...own, ...theirs.map(({ object }) => object)].filter(stays).map(inWords),
  };
}

const dataFirst = (objects: KubeObject[]) =>
  objects.toSorted((a, b) => Number(holdsData(b)) - Number(holdsData(a)) || (keyOf(a) < keyOf(b) ? -1 : 1));

/** kustomize-controller never prunes these. */
const isKept = (object: KubeObject | undefined) =>
  ["prune", "reconcile"].some((word) => object?.metadata.annotations?.[`${FLUX_KUSTOMIZE}/${word}`]?.toLowerCase() === "disabled");

async function live(access: ClusterAccess, objects: readonly KubeObject[]): Promise<Map<string, KubeObject>> {
  if (objects.length === 0) return new Map();
  const input = await printDocuments(objects);
  const said = await explained({ attempted: "read the objects that would be deleted" }, () =>
    steady(() => access.ask({ input })`cat | kubectl get --ignore-not-found --output json --filename -`.text()),
  );
  const found = readFound<KubeObject>(said, { command: "kubectl get --output json --filename -", secret: true });
  return new Map(found.map((object) => [keyOf(object), object]));
}

/** The objects that helm would delete with a release; none if it does not exist, or is suspended. */
async function manifestOf(access: ClusterAccess, release: KubeObject | undefined): Promise<KubeObject[]> {
  if (!release || release.spec?.suspend === true) return [];
  const { releaseName, targetNamespace, storageNamespace = release.metadata.namespace } = release.spec ?? {};
  const name = releaseName ?? (targetNamespace ? `${targetNamespace}-${release.metadata.name}` : release.metadata.name);
  const got = await steady(async () => {
    const asked = await access.ask({ timeout: "1m" })`helm get manifest ${name} --namespace ${storageNamespace}`.nothrow();
    if (asked.exitCode !== 0 && mayPass(asked)) throw asked;
    return asked;
  });
  if (got.exitCode !== 0) {
    if (/release: not found/.test(got.stderr)) return [];
    throw new Failure({
      attempted: `list what helm release ${storageNamespace}/${name} installed`,
      said: textOf(got),
      now: "nothing was changed",
      next: `helm status ${name} --namespace ${storageNamespace}; then the same command again`,
    });
  }
  const command = `helm get manifest ${name} --namespace ${storageNamespace}`;
  return (await readYaml<unknown>(got.stdout, { command, secret: true }))
    .filter(isObject)
    .filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] !== "keep");
}
