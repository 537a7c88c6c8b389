// The whole tree as steps: what the bootstrap left, every Kustomization, every release, every object that becomes ready by itself.
import { groupOf, isFluxKustomization, isHelmRelease } from "../../tree/object.ts";
import type { Located } from "../../tree/types.ts";
import { atFirst, withoutNamespace } from "./at-first.ts";
import { pushedItems } from "./externalsecret.ts";
import { chartControlling, controlledBy } from "./chart-keys.ts";
import { patienceOf, releaseSteps } from "./helmrelease.ts";
import { hostsOf, publisherOf } from "./hosts.ts";
import { controllerKey, existsKey, hostKey, named } from "./keys.ts";
import { kustomizationSteps, kustomizationUnit } from "./kustomization.ts";
import { objectStep } from "./objects.ts";
import { releaseOf } from "./release.ts";
import { APPLIED, need, type Key, type Step, type Unit } from "./step.ts";
import { idOf, type World } from "./world.ts";
import type { Release } from "./release-model.ts";

export interface Model {
  steps: Step[];
  /** What is there when Flux begins. */
  given: Set<Key>;
  /** The steps of each release, by its object. */
  releases: Map<Located, { release: Release; unit: Unit; steps: Step[] }>;
  /** The step in which an object becomes ready, where it has one. */
  objects: Map<Located, Step>;
  /** The steps of each Kustomization, by `namespace/name`. */
  kustomizations: Map<string, { unit: Unit; steps: Step[] }>;
}

/** Builds the steps. What charts control and admit is learnt first, since objects everywhere ask for it. */
export function modelOf(world: World): Model {
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
  const given = new Set(atFirst(world, [...releases.values()]));
  const model: Model = { steps: [], given, releases: new Map(), objects: new Map(), kustomizations: new Map() };
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
  model.steps.push(...askedFor(model, world));
  for (const key of withoutNamespace(world, model.steps)) given.add(key);
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
    if (step) model.objects.set(located, step);
    return step ? [step] : [];
  }
  const { namespace, name } = located.object.metadata;
  const unit: Unit = {
    name: `HelmRelease ${namespace}/${name}`,
    opensWave: false,
    retry: patienceOf(located, world.retriesByDefault).interval,
    parent,
    source: located.source,
  };
  const steps = releaseSteps(located, release, unit);
  model.releases.set(located, { release, unit, steps });
  return steps;
}

/** Steps that exist only if another step needs them: the record of a host name, and the first attempt on an object. */
function askedFor(model: Model, world: World): Step[] {
  const keys = new Set(model.steps.flatMap(({ needs }) => needs.map(({ key }) => key)));
  return [...keys].flatMap((key) => {
    if (key.startsWith("host:")) {
      const host = key.slice("host:".length);
      const located = publisherOf(host, world);
      return located ? [publication(host, located, ownerIn(model, located))] : [];
    }
    const located = key.startsWith("tried:") ? world.objects.get(key.replace("tried:", "exists:")) : undefined;
    return located ? [firstTry(key, located, ownerIn(model, located), world)] : [];
  });
}

/** The Kustomization that applies an object, where it has a step of its own. */
const ownerIn = ({ objects, releases }: Model, located: Located) => (objects.get(located)?.unit ?? releases.get(located)?.unit)?.parent;

/** A controller looks at an object as soon as both are there, whatever comes of it. */
function firstTry(key: Key, { object, source }: Located, parent: Unit | undefined, world: World): Step {
  const group = groupOf(object);
  const unit: Unit = { name: `the first try of ${named(object)}`, opensWave: false, retry: 0, parent, source };
  const needs = [need(existsKey(object), "guard", APPLIED, source)];
  if (chartControlling(group, world.input.charts)) needs.push(need(controllerKey(group), "wait", "is worked on by %", source));
  return { name: unit.name, unit, needs, provides: [key], takes: 5, source };
}

/** external-dns publishes a name once it runs and the object that says it is there. */
function publication(host: string, { object, source }: Located, parent: Unit | undefined): Step {
  const unit: Unit = { name: `the record of ${host}`, opensWave: false, retry: 0, parent, source };
  const needs = [
    need(existsKey(object), "guard", "is made from %", source),
    need(controllerKey("externaldns.k8s.io"), "guard", "is made by %", source),
  ];
  return { name: unit.name, unit, needs, provides: [hostKey(host)], takes: 60, source };
}
