// The whole tree as steps: what the bootstrap left, every Kustomization, every release, every object that becomes ready by itself.
import { isFluxKustomization, isHelmRelease } from "../object.ts";
import type { Bootstrap, Located } from "../types.ts";
import { BUILT_IN_NAMESPACES } from "./built-in.ts";
import { pushedItems } from "./externalsecret.ts";
import { controlledBy, definitionsOf, installed } from "./charts.ts";
import { patienceOf, releaseSteps, running } from "./helmrelease.ts";
import { hostsOf, publisherOf } from "./hosts.ts";
import { configMapKey, controllerKey, existsKey, groupKey, hostKey, namespaceKey, readyKey } from "./keys.ts";
import { existing, kustomizationSteps, kustomizationUnit } from "./kustomization.ts";
import { objectStep } from "./objects.ts";
import { releaseOf, type Release } from "./release.ts";
import { need, type Key, type Step, type Unit } from "./step.ts";
import { idOf, type World } from "./world.ts";

export interface Model {
  steps: Step[];
  /** What is there when Flux begins. */
  given: Set<Key>;
  /** The steps of each release, by its object. */
  releases: Map<Located, { release: Release; unit: Unit; steps: Step[] }>;
  /** The steps of each Kustomization, by `namespace/name`. */
  kustomizations: Map<string, { unit: Unit; steps: Step[] }>;
}

/** Builds the steps. What charts control and admit is learnt first, since objects everywhere ask for it. */
export function modelOf(world: World): Model {
  const given = new Set<Key>(atFirst(world));
  const releases = new Map<Located, Release>();
  for (const one of world.tree.kustomizations) {
    if (one.elsewhere)
      world.undescribed.push({
        name: `Kustomization ${idOf(one)}`,
        from: `${one.spec.sourceRef?.kind} ${one.spec.sourceRef?.name}`,
        source: one.source,
      });
    for (const located of one.built) {
      if (isHelmRelease(located)) learn(releases, located, world);
      if (located.object.kind === "PushSecret") for (const item of pushedItems(located.object)) world.pushed.add(item);
      for (const host of hostsOf(located)) if (!world.published.has(host)) world.published.set(host, located);
    }
  }
  const model: Model = { steps: [], given, releases: new Map(), kustomizations: new Map() };
  for (const one of world.tree.kustomizations) {
    const unit = kustomizationUnit(one, one.parent === undefined ? undefined : model.kustomizations.get(one.parent)?.unit);
    const later = new Set<Located>();
    const own: Step[] = [];
    for (const located of one.built) {
      const steps = stepsOf(located, unit, releases.get(located), model, world);
      if (
        steps.length > 0 ||
        (isFluxKustomization(located) && world.kustomizations.has(idOf(located.object.metadata as { namespace: string; name: string })))
      )
        later.add(located);
      own.push(...steps);
    }
    const steps = kustomizationSteps(one, unit, world, later);
    model.kustomizations.set(idOf(one), { unit, steps });
    model.steps.push(...steps, ...own);
  }
  const asked = new Set(model.steps.flatMap(({ needs }) => needs.map(({ key }) => key).filter((key) => key.startsWith("host:"))));
  for (const key of asked) {
    const host = key.slice("host:".length);
    const located = publisherOf(host, world);
    if (located) model.steps.push(publication(host, located));
  }
  return model;
}

function learn(releases: Map<Located, Release>, located: Located, world: World) {
  const release = releaseOf(located, world);
  releases.set(located, release);
  for (const group of controlledBy(release)) world.controlled.add(group);
  for (const group of release.facts?.webhooks ?? []) world.admitted.add(group);
  if (!release.facts)
    world.undescribed.push({
      namespace: release.namespace,
      name: `HelmRelease ${located.object.metadata.namespace}/${release.name}`,
      from: release.chart ?? `the chart of HelmRelease ${located.object.metadata.namespace}/${release.name}`,
      source: located.source,
    });
}

function stepsOf(located: Located, parent: Unit, release: Release | undefined, model: Model, world: World): Step[] {
  if (!release) {
    const step = isFluxKustomization(located) ? undefined : objectStep(located, parent, world);
    return step ? [step] : [];
  }
  const { namespace, name } = located.object.metadata;
  const unit: Unit = {
    name: `HelmRelease ${namespace}/${name}`,
    opensWave: false,
    retry: patienceOf(located).interval,
    parent,
    source: located.source,
  };
  const steps = releaseSteps(located, release, unit);
  model.releases.set(located, { release, unit, steps });
  return steps;
}

/** external-dns publishes a name once it runs and the object that says it is there. */
function publication(host: string, { object, source }: Located): Step {
  const unit: Unit = { name: `the record of ${host}`, opensWave: false, retry: 0, source };
  const needs = [
    need(existsKey(object), "guard", "is made from %", source),
    need(controllerKey("externaldns.k8s.io"), "guard", "is made by %", source),
  ];
  return { name: unit.name, unit, needs, provides: [hostKey(host)], takes: 60, source };
}

const FLUX = ["kustomize", "source", "helm", "notification"].map((name) => `${name}.toolkit.fluxcd.io`);

/** What is there before Flux applies anything. */
function atFirst(world: World): Key[] {
  const { bootstrap, kustomizations } = world.tree;
  const keys: Key[] = [...BUILT_IN_NAMESPACES.map(namespaceKey), groupKey("talos.dev")]; // Talos makes that kind itself
  for (const located of bootstrap.objects) keys.push(...existing(located), readyKey(located.object));
  keys.push(...releasesAtFirst(bootstrap, world));
  for (const one of kustomizations) {
    keys.push(configMapKey(one.namespace, "kube-root-ca.crt"));
    if (one.parent !== undefined) continue;
    // whoever starts Flux on this tree has made the root, its source and its namespace
    const { kind = "GitRepository", name = "flux-system", namespace = one.namespace } = one.spec.sourceRef ?? {};
    keys.push(readyKey({ group: "source.toolkit.fluxcd.io", kind, namespace, name }), namespaceKey(one.namespace));
  }
  return keys;
}

function releasesAtFirst({ releases, crdCharts }: Bootstrap, world: World): Key[] {
  const keys: Key[] = [];
  let flux = false;
  const known = (one: Bootstrap["releases"][number]): Release => {
    const facts = one.chart === undefined ? undefined : world.facts.charts[one.chart];
    if (!facts)
      world.undescribed.push({
        namespace: one.namespace,
        name: `release ${idOf(one)} of the bootstrap`,
        from: one.chart ?? `the chart of release ${idOf(one)} of the bootstrap`,
        source: one.source,
      });
    return { ...one, releaseName: one.name, values: one.values ?? {}, facts };
  };
  for (const one of releases) {
    const release = known(one);
    flux ||= release.facts?.laterCrds?.["kustomize.toolkit.fluxcd.io"] !== undefined;
    keys.push(...installed(release), ...running(release));
    for (const group of controlledBy(release)) world.controlled.add(group);
  }
  for (const one of crdCharts) keys.push(...definitionsOf(known(one)));
  return flux ? keys : [...keys, ...FLUX.map(groupKey)]; // Flux reads this tree, so somebody installed it in a way that we do not see
}
