// A Kustomization of Flux as steps: it starts when its dependencies are ready, builds, applies stage by stage, and is ready when what it waits for is (kustomize-controller).
import { groupOf } from "../../tree/object.ts";
import type { FluxKustomization, Located } from "../../tree/types.ts";
import { applyStagesOf } from "./apply-stages.ts";
import { BUILT_IN_GROUPS } from "./built-in.ts";
import {
  configMapKey,
  existsKey,
  kindKey,
  named,
  namespaceKey,
  namespaceOf,
  readyKey,
  secretKey,
  webhookKey,
  type Reference,
} from "./keys.ts";
import { APPLIED, DEPENDS_ON, need, SUBSTITUTES, type Key, type Need, type Step, type Unit } from "./step.ts";
import { healthNeeds } from "./health.ts";
import { secondsOf } from "./duration.ts";
import type { World } from "./world.ts";
import { maps } from "./shape.ts";

const GROUP = "kustomize.toolkit.fluxcd.io";
const SOURCE_GROUP = "source.toolkit.fluxcd.io";

export const referenceOf = ({ namespace, name }: { namespace: string; name: string }): Reference => ({
  group: GROUP,
  kind: "Kustomization",
  namespace,
  name,
});

/** The unit of a Kustomization: a failed attempt is repeated at `retryInterval`, or at its interval. */
export const kustomizationUnit = ({ namespace, name, spec, source }: FluxKustomization, parent: Unit | undefined): Unit => ({
  name: `Kustomization ${namespace}/${name}`,
  opensWave: true,
  retry: secondsOf(spec.retryInterval ?? spec.interval, 3600),
  parent,
  source,
});

/** All steps of one, except those of the objects that it applies; those of `later` become ready by a step of their own. */
export function kustomizationSteps(one: FluxKustomization, unit: Unit, world: World, later: ReadonlySet<Located>): Step[] {
  const { source } = one;
  const step = (phase: string, needs: Need[], provides: Key[], takes: number): Step => ({
    name: `${unit.name}: ${phase}`,
    unit,
    needs,
    provides,
    takes,
    source,
  });
  const after = (phase: string) => need(`done:${unit.name}: ${phase}`, "guard", "comes after", source);
  const done = (phase: string) => `done:${unit.name}: ${phase}`;

  const steps = [
    step("start", startNeeds(one, world), [done("start")], 1),
    step("build", [after("start"), ...buildNeeds(one)], [done("build")], 2),
  ];
  let before = "build";
  for (const { name, objects } of applyStagesOf(one.built)) {
    const phase = `apply ${name}`;
    steps.push(
      step(
        phase,
        [after(before), ...applyNeeds(objects, world)],
        [done(phase), ...objects.flatMap((located) => [...existing(located), ...(later.has(located) ? [] : [readyKey(located.object)])])],
        2,
      ),
    );
    before = phase;
  }
  steps.push(step("ready", [after(before), ...healthNeeds(one, world)], [readyKey(referenceOf(one))], 1));
  return steps;
}

function startNeeds(one: FluxKustomization, world: World): Need[] {
  const { spec, source, namespace } = one;
  const needs: Need[] = [];
  if (one.parent !== undefined) needs.push(need(existsKey(referenceOf(one)), "guard", APPLIED, source));
  if (spec.suspend === true) needs.push(need(`resumed:Kustomization ${namespace}/${one.name}`, "guard", "is suspended", source));
  const from = spec.sourceRef;
  if (from?.kind)
    needs.push(
      need(
        readyKey({ group: SOURCE_GROUP, kind: from.kind, namespace: from.namespace ?? namespace, name: from.name }),
        "guard",
        "reads its files from %",
        source,
      ),
    );
  for (const { name, namespace: elsewhere, readyExpr } of maps(spec.dependsOn)) {
    const other = referenceOf({ namespace: elsewhere ?? namespace, name });
    // an expression replaces the check of readiness: what it asks cannot be known offline, that the other exists can
    needs.push(
      need(
        readyExpr && world.kustomizations.has(`${other.namespace}/${name}`) ? existsKey(other) : readyKey(other),
        "guard",
        DEPENDS_ON,
        source,
      ),
    );
  }
  return needs;
}

function buildNeeds({ spec, source, namespace, built }: FluxKustomization): Need[] {
  const needs: Need[] = [];
  for (const { kind, name, optional } of maps(spec.postBuild?.substituteFrom))
    if (!optional)
      needs.push(need(kind === "ConfigMap" ? configMapKey(namespace, name) : secretKey(namespace, name), "attempt", SUBSTITUTES, source));
  const key = spec.decryption?.secretRef?.name;
  if (key && built.some(({ encrypted }) => encrypted)) needs.push(need(secretKey(namespace, key), "attempt", "decrypts with %", source));
  return needs;
}

/** What the server's dry run asks of one stage: every kind and every namespace; and the webhooks that admit its objects. */
function applyNeeds(objects: readonly Located[], world: World): Need[] {
  const needs = new Map<Key, Need>();
  const add = (key: Key, how: Need["how"], why: string, { source }: Located) => {
    if (!needs.has(key)) needs.set(key, need(key, how, why, source));
  };
  for (const located of objects) {
    const { object } = located;
    const group = groupOf(object);
    if (!BUILT_IN_GROUPS.has(group)) add(kindKey(group, object.kind), "attempt", `applies ${named(object)}, which needs %`, located);
    const namespace = namespaceOf(object);
    if (namespace) add(namespaceKey(namespace), "attempt", `applies ${named(object)}, which needs %`, located);
    if (world.admitted.has(group)) add(webhookKey(group), "passing", `applies ${named(object)}, which needs %`, located);
  }
  return [...needs.values()];
}

/** What is true once an object is applied. */
export function existing({ object }: Located): Key[] {
  const keys = [existsKey(object)];
  if (object.kind === "Namespace") keys.push(namespaceKey(object.metadata.name));
  const names = object.kind === "CustomResourceDefinition" && object.spec;
  if (names) keys.push(kindKey(names.group, names.names?.kind));
  return keys;
}
