// When a Kustomization calls itself ready: all it applies with `wait`, else its healthChecks with their expressions, else at once.
import { FLUX_KUSTOMIZE, groupOf, isHelmRelease } from "../../tree/object.ts";
import type { FluxKustomization, KubeObject, Located } from "../../tree/types.ts";
import { kindNamed, neededKinds } from "./chart-keys.ts";
import { existsKey, kindKey, madeKey, readyKey, triedKey } from "./keys.ts";
import { hasBehaviour } from "./objects.ts";
import { releaseOf } from "./release.ts";
import { need, type Key, type Need } from "./step.ts";
import type { World } from "./world.ts";
import { groupIn, maps } from "./shape.ts";

interface Check {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  current?: string;
}

/** What it waits for after it has applied everything. */
export function healthNeeds({ namespace, name, spec, source, built }: FluxKustomization, world: World): Need[] {
  const own = readyKey({ group: FLUX_KUSTOMIZE, kind: "Kustomization", namespace, name });
  if (spec.wait === true)
    // kustomize-controller leaves out the Kustomization itself, which may be among what it applies
    return built
      .filter(({ object }) => readyKey(object) !== own)
      .map((located) => need(currentKey(located.object), "wait", "waits for all it applies: %", located.source));
  const expressions = maps(spec.healthCheckExprs) as Check[];
  return maps(spec.healthChecks).map((check: Check) => {
    const own = expressions.find(({ apiVersion, kind }) => apiVersion === check.apiVersion && kind === check.kind);
    return need(checkedKey(check, own?.current, built, world), "wait", "has % among its healthChecks", source);
  });
}

/** kstatus takes a custom resource without a status for current: only kinds of which more is known keep a check waiting for their controller. */
const currentKey = (object: KubeObject) =>
  hasBehaviour(object) || groupOf(object).endsWith(".toolkit.fluxcd.io") ? readyKey(object) : existsKey(object);

/** An object of the tree, by the expression of its kind; one that a chart makes; or a definition that something brings. */
function checkedKey(check: Check, current: string | undefined, built: readonly Located[], world: World): Key {
  const { apiVersion = "", kind = "", namespace = "", name = "" } = check;
  const group = groupIn(apiVersion);
  const reference = { group, kind, namespace, name };
  const located = world.objects.get(existsKey(reference));
  if (located && current === undefined) return currentKey(located.object);
  if (located) return isTrueOnceTried(current!) ? triedKey(reference) : readyKey(reference);
  if (kind === "CustomResourceDefinition") return kindNamed(name, world.input.charts);
  const made = kindKey(group, kind);
  const releases = built.filter(isHelmRelease).map((located) => releaseOf(located, world));
  const maker = releases.find((release) => release.namespace === namespace && neededKinds(release).includes(made));
  return maker ? madeKey(made, namespace) : readyKey(reference);
}

/** `status.conditions.exists(e, e.type == 'Ready')`: it asks for a condition, not for what the condition says. */
const isTrueOnceTried = (expression: string) =>
  /conditions/.test(expression) && !/\.(status|reason|message)\b/.test(expression.replaceAll("status.conditions", ""));
