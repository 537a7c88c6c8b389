// The keys that are true when Flux starts: objects of a new cluster, and the results of the bootstrap.
import type { BootstrapRelease } from "../../tree/types.ts";
import { BUILT_IN_NAMESPACES } from "./built-in.ts";
import { controlledBy, definitionsOf, factsAt, installed } from "./chart-keys.ts";
import { running } from "./helmrelease.ts";
import { configMapKey, groupKey, namespaceKey, partsOf, readyKey } from "./keys.ts";
import { existing } from "./kustomization.ts";
import type { Key, Step } from "./step.ts";
import { idOf, type World } from "./world.ts";
import type { Release } from "./release-model.ts";

const FLUX = ["kustomize", "source", "helm", "notification"].map((name) => `${name}.toolkit.fluxcd.io`);

/** All keys that are true from the start; `inTree` are the releases that Flux will adopt, whose chart and values the bootstrap may have read. */
export function atFirst(world: World, inTree: readonly Release[]): Key[] {
  const { bootstrap, kustomizations } = world.tree;
  const keys: Key[] = [...BUILT_IN_NAMESPACES.map(namespaceKey), groupKey("talos.dev")]; // Talos makes that kind itself
  for (const located of bootstrap.objects) keys.push(...existing(located), readyKey(located.object));
  keys.push(...releasesAtFirst(world, inTree));
  for (const one of kustomizations) {
    keys.push(configMapKey(one.namespace, "kube-root-ca.crt"));
    if (one.parent !== undefined) continue;
    // the root, its source and its namespace exist as soon as Flux syncs this tree
    const { kind = "GitRepository", name = "flux-system", namespace = one.namespace } = one.spec.sourceRef ?? {};
    keys.push(readyKey({ group: "source.toolkit.fluxcd.io", kind, namespace, name }), namespaceKey(one.namespace));
  }
  return keys;
}

function releasesAtFirst(world: World, inTree: readonly Release[]): Key[] {
  const { releases, crdCharts } = world.tree.bootstrap;
  const adopted = new Map(inTree.map((release) => [idOf({ namespace: release.namespace, name: release.releaseName }), release]));
  const keys: Key[] = [];
  let flux = false;
  for (const one of releases) {
    const release = knownAs(one, adopted.get(idOf(one)), world);
    flux ||= release.facts?.laterCrds?.["kustomize.toolkit.fluxcd.io"] !== undefined;
    keys.push(...installed(release), ...running(release), ...(one.namespace ? [namespaceKey(one.namespace)] : []));
    for (const group of controlledBy(release)) world.controlled.add(group);
  }
  for (const one of crdCharts) keys.push(...definitionsOf(knownAs(one, adopted.get(idOf(one)), world)));
  return flux ? keys : [...keys, ...FLUX.map(groupKey)]; // Flux reads this tree, so somebody installed it in a way that we do not see
}

/** A release of the bootstrap; where its helmfile computes the chart or the values, those of the release that adopts it. */
function knownAs(one: BootstrapRelease, adopted: Release | undefined, world: World): Release {
  const chart = one.chart ?? adopted?.chart;
  const facts = chart === undefined ? undefined : factsAt(chart, world.input.charts);
  if (!facts && !adopted)
    world.undescribed.push({
      namespace: one.namespace,
      name: `release ${idOf(one)} of the bootstrap`,
      from: chart ?? `the chart of release ${idOf(one)} of the bootstrap`,
      source: one.source,
    });
  const values = Object.keys(one.values ?? {}).length > 0 ? one.values! : (adopted?.values ?? {});
  return { ...one, chart, releaseName: one.name, values, facts };
}

/** Objects of the bootstrap without a namespace (a kustomization adds it) provide the object in every namespace that needs it. */
export function withoutNamespace(world: World, steps: readonly Step[]): Key[] {
  const names = new Set(
    world.tree.bootstrap.objects
      .filter(({ object }) => ["ConfigMap", "Secret"].includes(object.kind) && object.metadata.namespace === undefined)
      .map(({ object }) => `${object.kind} ${object.metadata.name}`),
  );
  if (names.size === 0) return [];
  return steps.flatMap(({ needs }) =>
    needs
      .map(({ key }) => key)
      .filter((key) => {
        const { reference } = partsOf(key);
        return reference !== undefined && reference.group === "" && names.has(`${reference.kind} ${reference.name}`);
      }),
  );
}
