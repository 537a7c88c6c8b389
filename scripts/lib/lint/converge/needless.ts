// Ordering that only costs time: a `wait` on which nothing depends, and a `dependsOn` that no apply needs.
import type { Finding, FluxKustomization } from "../../tree/types.ts";
import { existsKey } from "./keys.ts";
import { blocks, ownerOf, type State } from "./state.ts";
import type { Model } from "./model.ts";
import type { Need, Step, Unit } from "./step.ts";
import { idOf, type World } from "./world.ts";
import { groupIn, maps } from "./shape.ts";

/** Notes on orders without use; `wait` beside healthChecks is told here too, since it makes Flux pass over them. */
export function needlessNotes(world: World, model: Model, state: State): Finding[] {
  const awaited = new Set(
    world.tree.kustomizations.flatMap((one) =>
      (maps(one.spec.dependsOn) as Dependency[]).map((other) => idOf({ namespace: other.namespace ?? one.namespace, name: other.name })),
    ),
  );
  for (const { spec, built } of world.tree.kustomizations)
    if (spec.wait === true)
      for (const { object } of built)
        if (object.kind === "Kustomization") awaited.add(idOf({ namespace: object.metadata.namespace ?? "", name: object.metadata.name }));
  return world.tree.kustomizations.flatMap((one) => [
    ...waits(one, awaited.has(idOf(one)), world),
    ...dependencies(one, world, model, state),
  ]);
}

interface Dependency {
  name: string;
  namespace?: string;
  readyExpr?: string;
}

function waits(one: FluxKustomization, awaited: boolean, world: World): Finding[] {
  const { spec, source, built } = one;
  const at = { file: source.file, line: source.line, object: `Kustomization ${idOf(one)}` };
  if (spec.wait !== true) return [];
  const own = new Set(built.map(({ object }) => existsKey(object)));
  const foreign = maps(spec.healthChecks).filter(({ apiVersion = "", kind = "", namespace = "", name = "" }: Record<string, string>) => {
    const key = existsKey({ group: groupIn(apiVersion), kind, namespace, name });
    return world.objects.has(key) && !own.has(key); // what a chart of its own makes is there when the release is
  });
  const findings: Finding[] = [];
  if (spec.healthChecks?.length)
    findings.push({
      ...at,
      rule: "wait-hides-health-checks",
      level: foreign.length > 0 ? "error" : "note",
      message: `Kustomization ${idOf(one)} has both wait and healthChecks`,
      why:
        foreign.length > 0
          ? `wait makes Flux pass over healthChecks: it is called ready before ${foreign[0]!.kind} ${foreign[0]!.name}, which it does not apply itself`
          : "wait awaits everything applied and makes Flux pass over healthChecks",
      fix: foreign.length > 0 ? "take wait out and list what must be ready" : "take healthChecks out",
    });
  if (!awaited)
    findings.push({
      ...at,
      rule: "needless-wait",
      level: "note",
      message: `nothing waits for Kustomization ${idOf(one)}, which waits for all it applies`,
      why: "each reconciliation stays open until everything is ready, and a failure looks like one of its own",
      fix: "take wait out",
    });
  return findings;
}

/** A dependency is needed where an attempt of this one needs what only the other, or what that waits for, brings. */
function dependencies(one: FluxKustomization, world: World, model: Model, state: State): Finding[] {
  const own = model.kustomizations.get(idOf(one));
  const dependsOn = maps(one.spec.dependsOn) as Dependency[];
  if (!own || dependsOn.length === 0) return [];
  const attempts = attemptsOf(one, own.steps, model);
  if (attempts.some(({ key }) => state.reached.get(key)?.granted)) return []; // who brings it is not known: perhaps the other
  const wanted = bringers(one, own.steps, attempts, model, state);
  const above = new Set<Unit>();
  for (let unit = own.unit.parent; unit; unit = unit.parent) above.add(unit);
  return dependsOn.flatMap((dependency): Finding[] => {
    const other = idOf({ namespace: dependency.namespace ?? one.namespace, name: dependency.name });
    const there = model.kustomizations.get(other);
    if (!there || dependency.readyExpr) return [];
    if ([...wanted].some((step) => ownerOf(step) === there.unit)) return []; // it names who brings it; whether that waits is another question
    if (leadsTo(there.steps.at(-1)!, wanted, above, state)) return [];
    return [
      {
        rule: "needless-depends-on",
        level: "note",
        file: one.source.file,
        line: one.source.line,
        object: `Kustomization ${idOf(one)}`,
        message: `Kustomization ${idOf(one)} dependsOn Kustomization ${other} and applies nothing that would fail without it`,
        why: "Pods, volumes and routes wait by themselves for what they need; the dependency holds the whole set back, and for ever if the other is broken",
        fix: "take the dependency out",
      },
    ];
  });
}

const stepsOf = (one: FluxKustomization, steps: Step[], model: Model) => [
  ...steps,
  ...one.built.flatMap((located) => model.releases.get(located)?.steps ?? []),
];

/**
 * What a Kustomization and its releases try without being sure of it. Where only the first try of an object counts, that try is one; and
 * where another makes the same thing as this one, the order decides whose it is.
 */
function attemptsOf(one: FluxKustomization, steps: Step[], model: Model): Pick<Need, "key">[] {
  const needs = stepsOf(one, steps, model).flatMap((step) => step.needs);
  const once = new Set(needs.filter(({ key }) => key.startsWith("tried:")).map(({ key }) => key.replace("tried:", "ready:")));
  const own = one.built.flatMap((located) => model.objects.get(located) ?? []);
  const tried = own.filter(({ provides }) => provides.some((key) => once.has(key))).flatMap((step) => step.needs);
  const makes = own
    .flatMap(({ provides }) => provides)
    .filter((key) => key.startsWith("exists:"))
    .map((key) => ({ key }));
  return [...needs.filter(({ how }) => how === "attempt" || how === "passing"), ...tried, ...makes];
}

/** Every other step that brings what they try. */
function bringers(one: FluxKustomization, steps: Step[], attempts: Pick<Need, "key">[], model: Model, state: State): Set<Step> {
  const units = new Set(
    [...stepsOf(one, steps, model), ...one.built.flatMap((located) => model.objects.get(located) ?? [])].map(({ unit }) => unit),
  );
  return new Set(attempts.flatMap(({ key }) => state.providers(key)).filter(({ unit }) => !units.has(unit)));
}

/** Whether one of the wanted steps comes before a step; what the parents apply comes before everything and proves nothing. */
function leadsTo(from: Step, wanted: ReadonlySet<Step>, above: ReadonlySet<Unit>, state: State): boolean {
  if (wanted.size === 0) return false;
  const seen = new Set<Step>([from]);
  for (const step of seen) {
    if (wanted.has(step)) return true;
    for (const need of step.needs)
      if (blocks(need)) for (const provider of state.providers(need.key)) if (!above.has(provider.unit)) seen.add(provider);
  }
  return false;
}
