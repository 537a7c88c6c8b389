// Needs without a provider: one finding for each missing thing, with the effect and the fix.
import type { Finding } from "../../tree/types.ts";
import { chartBringing, chartControlling } from "./chart-keys.ts";
import { inWords, partsOf, type Reference, whatOf } from "./keys.ts";
import { blocks, ownerOf, type State } from "./state.ts";
import { DEPENDS_ON, type Key, type Need, type Step } from "./step.ts";
import { BOOTSTRAP, type World } from "./world.ts";

/** A missing thing, and the units that need it. */
export interface Lack {
  keys: Key[];
  first: { step: Step; need: Need };
  units: Set<string>;
}

/**
 * Every thing that is needed and has no provider, in the order of the steps. The kinds of one chart are one missing thing; so is the
 * controller of an API whose kinds are missing too.
 */
export function lacksOf(state: State, world: World): Lack[] {
  const lacks = new Map<string, Lack>();
  for (const step of state.steps)
    for (const need of step.needs) {
      if (!blocks(need) || state.reached.has(need.key) || state.providers(need.key).length > 0) continue;
      const name = causeOf(need.key, world);
      const lack = lacks.get(name);
      if (!lack) lacks.set(name, { keys: [need.key], first: { step, need }, units: new Set([step.unit.name]) });
      else {
        lack.units.add(step.unit.name);
        if (!lack.keys.includes(need.key)) lack.keys.push(need.key);
      }
    }
  return [...lacks.values()];
}

/** Leaves out things that only dependents of a missing Kustomization need: they are consequences of it. */
export function withoutConsequences(lacks: Lack[], state: State): Lack[] {
  const orphans = new Set(
    lacks
      .filter(({ first }) => first.need.why === DEPENDS_ON)
      .flatMap(({ keys }) => keys.flatMap((key) => state.users(key)))
      .map(ownerOf),
  );
  if (orphans.size === 0) return lacks;
  return lacks.filter(
    ({ first, keys }) =>
      first.need.why === DEPENDS_ON || !keys.every((key) => state.users(key).every((step) => orphans.has(ownerOf(step)))),
  );
}

/** The cause of a missing key: the chart of a kind or controller, or the thing itself. `exists` and `ready` have the same cause. */
function causeOf(key: Key, world: World): string {
  const { sort, rest } = partsOf(key);
  if (sort === "kind") return bringerOf(rest, world) ?? `kinds of ${rest.slice(0, rest.indexOf("/"))}`;
  if (sort === "controller") return chartControlling(rest, world.input.charts) ?? rest;
  return inWords(key);
}

/** The finding for one missing thing. Its level is unknown if an undescribed chart or source may provide it. */
export function missingFinding({ keys, first: { step, need }, units }: Lack, world: World, state: State): Finding {
  const { sort, rest, reference } = partsOf(need.key);
  if (sort === "resumed") return suspendedFinding(step, need, state);
  const what = whatOf(keys);
  const bringer = mayBring(sort, reference, rest, world);
  const { rule, why, fix } = wordsFor(need.key, step, world);
  return {
    rule: bringer ? "may-be-missing" : rule,
    level: bringer ? "unknown" : "error",
    file: need.source.file,
    line: need.source.line,
    object: step.unit.name,
    message: `nothing provides ${what}: ${step.unit.name} ${need.why.replace("%", "it")}${others(units.size - 1)}`,
    why: bringer ? `${bringer.name} may provide it: what ${bringer.from} provides is unknown` : why,
    fix: bringer ? `${lookInto(bringer)}; if it does not bring it: ${fix}` : fix,
  };
}

/** The first part of the fix if an undescribed chart or source may provide the thing. Only charts can be described. */
function lookInto({ name, from }: World["undescribed"][number]): string {
  if (name === BOOTSTRAP) return "look into the bootstrap, or let BOOTSTRAP= name its folder with a helmfile that can be read";
  return name.startsWith("HelmRelease ") ? "describe the chart in scripts/lint/charts.yaml" : `look into ${from}`;
}

/** A suspended unit is an error if another unit waits for it. */
function suspendedFinding({ unit }: Step, { source }: Need, state: State): Finding {
  const ready = state.stepsOf(unit).flatMap(({ provides }) => provides.filter((key) => key.startsWith("ready:")));
  const waiting = new Set(ready.flatMap((key) => state.users(key)).map((step) => step.unit.name));
  const [first] = waiting;
  return {
    rule: "suspended",
    level: first ? "error" : "note",
    file: source.file,
    line: source.line,
    object: unit.name,
    message: first
      ? `${unit.name} is suspended, and ${first} waits for it${waiting.size > 1 ? `, with ${waiting.size - 1} more` : ""}`
      : `${unit.name} is suspended`,
    why: first ? "whatever waits for it waits until somebody resumes it" : "nothing of it is applied until somebody resumes it",
    fix: first ? "take spec.suspend out, or the dependency" : "take spec.suspend out when it is to run",
  };
}

export const others = (count: number) =>
  count > 0 ? `, and ${count} other${count > 1 ? "s" : ""} wait${count > 1 ? "" : "s"} for it` : "";

function mayBring(sort: string, reference: Reference | undefined, rest: string, { undescribed }: World) {
  if (sort === "namespace" || reference?.group.endsWith(".toolkit.fluxcd.io"))
    return undescribed.find(({ namespace }) => namespace === undefined);
  const within = reference?.namespace || (sort === "serving" ? rest.slice(0, rest.indexOf("/")) : undefined);
  return undescribed.find(({ namespace }) => namespace === undefined || within === undefined || namespace === within);
}

function wordsFor(key: Key, step: Step, world: World): Pick<Finding, "rule" | "why" | "fix"> {
  const { sort, rest, reference } = partsOf(key);
  const never = `${step.unit.name} never becomes ready`;
  switch (sort) {
    case "kind":
      return {
        rule: "crd-missing",
        why: `the API server does not know the kind, so it refuses the whole set: ${never}`,
        fix: bringKind(rest, world),
      };
    case "namespace":
      return {
        rule: "namespace-missing",
        why: `the API server refuses objects of a namespace that does not exist, and with them the whole set: ${never}`,
        fix: `apply Namespace ${rest}: components/namespace in its kustomization, or bootstrap/resources.yaml.njk`,
      };
    case "controller": {
      const chart = chartControlling(rest, world.input.charts);
      return {
        rule: "controller-missing",
        why: `nothing works on its objects, and nothing says so: ${never}`,
        fix: `install ${chart ?? `the operator of ${rest}`}`,
      };
    }
    case "serving":
      return { rule: "server-missing", why: `nothing answers there: ${never}`, fix: `install what serves ${rest}, or correct the address` };
    default:
      return reference ? wordsForObject(reference, never, world) : { rule: "missing", why: never, fix: `bring ${inWords(key)}` };
  }
}

function wordsForObject(reference: Reference, never: string, world: World): Pick<Finding, "rule" | "why" | "fix"> {
  const { kind, namespace, name } = reference;
  const elsewhere = world.ofKind(kind).find(({ object }) => object.metadata.name === name)?.object.metadata.namespace;
  const rule = `${kind.replaceAll(/([a-z])([A-Z])/g, "$1-$2").toLowerCase()}-missing`;
  if (elsewhere !== undefined && elsewhere !== namespace)
    return {
      rule,
      why: `it is looked for in ${namespace ? `namespace ${namespace}` : "no namespace"}, where it is not: ${never}`,
      fix: `write namespace: ${elsewhere}`,
    };
  const fix: Record<string, string> = {
    Secret: `make it with an ExternalSecret in ${namespace}, a SOPS file, or bootstrap/resources.yaml.njk`,
    ConfigMap: `make it with a configMapGenerator, or bootstrap/resources.yaml.njk`,
    Kustomization: `correct the name, or take the dependency out`,
    StorageClass: `correct the name, or install what makes the class`,
  };
  return { rule, why: never, fix: fix[kind] ?? `apply ${kind} ${namespace ? `${namespace}/` : ""}${name}, or correct the name` };
}

function bringKind(rest: string, world: World) {
  const chart = bringerOf(rest, world);
  return chart
    ? `add ${chart} to bootstrap/helmfile.d/00-crds.yaml: it provides the kind`
    : "apply its CustomResourceDefinition before it, or add a chart that provides it to bootstrap/helmfile.d/00-crds.yaml";
}

/** The chart that provides a kind. */
function bringerOf(rest: string, { input }: World) {
  const [group = "", kind = ""] = rest.split("/");
  return chartBringing(group, kind, input.charts);
}
