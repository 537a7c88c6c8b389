// Steps that may need a second attempt, because nothing guarantees that their needs exist at the first one; with the delay.
import type { Finding } from "../../tree/types.ts";
import { durationOf } from "./duration.ts";
import { partsOf, whatOf } from "./keys.ts";
import { ownerOf, type State } from "./state.ts";
import { ancestry } from "./ancestry.ts";
import { DEPENDS_ON, type Key, type Need, type Step } from "./step.ts";

interface Late {
  step: Step;
  need: Need;
  by: Step;
  keys: Set<Key>;
  units: Set<string>;
  /** Seconds until the next attempt, of the one that waits longest. */
  cost: number;
}

/** One note for each thing that is needed too early. Stuck steps are left out: they have a finding of their own. */
export function retryNotes(state: State, stuck: ReadonlySet<Step>): Finding[] {
  const before = ancestry(state);
  const late = new Map<string, Late>();
  for (const step of state.steps)
    for (const need of stuck.has(step) ? [] : step.needs) {
      const by = need.how === "attempt" || need.how === "passing" ? lateBringer(step, need, state, before) : undefined;
      if (!by) continue;
      // the kinds of one release have one fix
      const cause = need.key.startsWith("kind:") ? `kinds of ${by.unit.name}` : need.key;
      const seen = late.get(cause);
      if (seen) {
        seen.units.add(step.unit.name);
        seen.keys.add(need.key);
        seen.cost = Math.max(seen.cost, step.unit.retry);
      } else late.set(cause, { step, need, by, keys: new Set([need.key]), units: new Set([step.unit.name]), cost: step.unit.retry });
    }
  return [...late.values()]
    .filter(
      ({ need, by }) =>
        !need.key.startsWith("webhook:") || ![...late.values()].some((one) => one.need.key.startsWith("kind:") && one.by.unit === by.unit),
    )
    .map((one) => note(one, state));
}

/** The step that provides a need, if nothing guarantees that it is complete at the first attempt. */
function lateBringer(step: Step, { key }: Need, state: State, before: ReturnType<typeof ancestry>): Step | undefined {
  const by = state.reached.get(key)?.by;
  if (!by || by.unit === step.unit) return undefined;
  return before.precedes(by, step) ? undefined : by;
}

function note({ step, need, by, keys, units, cost }: Late, state: State): Finding {
  const { sort } = partsOf(need.key);
  const many = units.size > 1 ? `${step.unit.name} and ${units.size - 1} other${units.size > 2 ? "s" : ""}` : step.unit.name;
  const webhook = sort === "webhook";
  return {
    rule: webhook ? "webhook-order" : "ready-after-retry",
    level: "note",
    file: need.source.file,
    line: need.source.line,
    object: step.unit.name,
    message: `${many} may be tried before ${whatOf([...keys])} ${keys.size > 1 ? "are" : "is"} available (${by.unit.name} provides ${keys.size > 1 ? "them" : "it"})`,
    why: webhook
      ? `while the webhook's Pods start, the API server refuses what it cannot show them: at most one failed attempt, repeated after ${durationOf(cost)}`
      : `the attempt fails and is repeated after ${durationOf(cost)}, until it is there`,
    fix: dependsOn(step, by, state)
      ? `let ${ownerOf(by).name} wait until ${by.unit.name} is ready (wait or healthChecks): without that it is ready as soon as it has applied it`
      : sort === "kind"
        ? "add the definitions to bootstrap/helmfile.d/00-crds.yaml, or depend on what provides them"
        : `let ${ownerOf(step).name} depend on ${ownerOf(by).name}, or accept the wait`,
  };
}

/** Whether there is a dependency already, on a Kustomization that does not wait. */
function dependsOn(step: Step, by: Step, state: State): boolean {
  const own = ownerOf(step);
  const keys = state.stepsOf(own).flatMap(({ needs }) => needs.filter(({ why }) => why === DEPENDS_ON).map(({ key }) => key));
  return keys.some((key) => state.providers(key).some(({ unit }) => unit === ownerOf(by)));
}
