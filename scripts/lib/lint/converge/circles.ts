// Cycles: the innermost cycles of the stuck steps (Tarjan), each with the one key that would let most of its steps complete.
import type { Finding } from "../../tree/types.ts";
import { partsOf, say } from "./keys.ts";
import { BOOTSTRAP, type World } from "./world.ts";
import { innermost } from "./innermost.ts";
import { others } from "./missing.ts";
import { blocks, type State } from "./state.ts";
import { APPLIED, DEPENDS_ON, SUBSTITUTES, type Key, type Need, type Step } from "./step.ts";

/** The need to remove from a cycle, and the complete cycle. */
export interface Circle {
  key: Key;
  /** The key, and all other kinds that the same release provides. */
  keys: Key[];
  need: Need;
  step: Step;
  units: number;
  /** From the step that needs the key, link by link, to the step that provides it. */
  way: { step: Step; need: Need }[];
}

const open = (state: State) => (step: Step) => step.needs.filter((need) => blocks(need) && !state.reached.has(need.key));

/** The innermost cycles: sets of stuck steps that wait only for each other. */
export function circlesOf(state: State): Circle[] {
  const needsOf = open(state);
  return innermost(state.stuck(), (step) => needsOf(step).flatMap(({ key }) => state.providers(key))).map((steps) => knot(steps, state));
}

/** The key that lets most steps of a cycle complete. Among equals: the key that most units need, then the one that is easiest to remove. */
function knot(steps: Step[], state: State): Circle {
  const needsOf = open(state);
  const users = new Map<Key, { step: Step; need: Need; units: Set<string> }>();
  for (const step of steps)
    for (const need of needsOf(step)) {
      const seen = users.get(need.key);
      if (seen) seen.units.add(step.unit.name);
      else users.set(need.key, { step, need, units: new Set([step.unit.name]) });
    }
  const bundle = (key: Key) => (key.startsWith("kind:") ? kindsBeside(key, [...users.keys()], state) : [key]);
  const candidates = [...users]
    .filter(([key, { need }]) => rank(key, need) > 0)
    .sort(([keyA, a], [keyB, b]) => b.units.size - a.units.size || rank(keyB, b.need) - rank(keyA, a.need))
    .slice(0, 12)
    .map(([key, user]) => ({ key, keys: bundle(key), ...user }))
    .map((candidate) => ({ ...candidate, frees: freed(steps, candidate.keys, state) }))
    .sort((a, b) => b.frees - a.frees);
  const { key, keys, step, need } = candidates[0] ?? {
    key: [...users.keys()][0]!,
    keys: [...users.keys()].slice(0, 1),
    ...[...users.values()][0]!,
  };
  const everywhere = new Set(keys.flatMap((one) => state.users(one)).map(({ unit }) => unit.name));
  return { key, keys, step, need, units: everywhere.size, way: wayBack(step, need, state, needsOf) };
}

const kindsBeside = (key: Key, keys: Key[], { providers }: State) =>
  keys.filter((one) => one === key || (one.startsWith("kind:") && providers(one)[0] === providers(key)[0]));

/** How easily a need can be removed: host name, dependency, attempt, wait. 0: it cannot, for example because an object must be applied first. */
function rank(key: Key, { how, why }: Need): number {
  const { sort } = partsOf(key);
  if (sort === "done") return 0;
  if (sort === "host") return 5;
  if (why === DEPENDS_ON) return 4;
  if (how === "attempt") return 3;
  return how === "wait" ? 2 : 0;
}

/** The number of steps that would complete if the keys were true. */
function freed(steps: Step[], granted: Key[], state: State): number {
  const needsOf = open(state);
  const there = new Set<Key>(granted);
  const left = new Map<Step, Set<Key>>();
  const users = new Map<Key, Step[]>();
  for (const step of steps) {
    left.set(step, new Set(needsOf(step).map(({ key }) => key)));
    for (const key of left.get(step)!) users.set(key, [...(users.get(key) ?? []), step]);
  }
  const due: Key[] = [...granted];
  let count = 0;
  for (let key = due.pop(); key !== undefined; key = due.pop())
    for (const step of users.get(key) ?? []) {
      const rest = left.get(step)!;
      if (!rest.delete(key) || rest.size > 0) continue;
      count++;
      for (const brought of state.brings(step)) if (!there.has(brought)) due.push((there.add(brought), brought));
    }
  return count;
}

/** The shortest path from a need through its providers back to the step that has the need. */
function wayBack(step: Step, need: Need, state: State, needsOf: (step: Step) => Need[]): Circle["way"] {
  const from = new Map<Step, { step: Step; need: Need } | undefined>();
  const queue = state.providers(need.key).filter((provider) => !state.taken.has(provider));
  for (const provider of queue) from.set(provider, { step, need });
  for (let at = 0; at < queue.length; at++) {
    const here = queue[at]!;
    if (here === step) break;
    for (const one of needsOf(here))
      for (const provider of state.providers(one.key)) {
        if (from.has(provider) || state.taken.has(provider)) continue;
        from.set(provider, { step: here, need: one });
        queue.push(provider);
      }
  }
  const way: Circle["way"] = [];
  for (
    let link = from.get(step), guard = 0;
    link && guard <= queue.length;
    link = link.step === step ? undefined : from.get(link.step), guard++
  )
    way.unshift(link);
  return way;
}

/** The finding for a cycle: the link to remove, and the complete cycle. */
export function circleFinding({ key, keys, need, step, units, way }: Circle, state: State, world: World): Finding {
  const { sort } = partsOf(key);
  const beside = sort === "kind" && state.providers(key).some(({ unit }) => unit.parent === step.unit);
  const [rule, fix] = beside
    ? [
        "custom-resource-beside-its-release",
        "move such objects to config/ with a Kustomization that dependsOn this one, or bring the definitions in bootstrap/helmfile.d/00-crds.yaml",
      ]
    : sort === "kind"
      ? ["crd-too-late", "bring the definitions in bootstrap/helmfile.d/00-crds.yaml"]
      : sort === "namespace"
        ? [
            "namespace-too-late",
            "apply the Namespace with what applies the Kustomization: components/namespace in the kustomization beside its ks.yaml",
          ]
        : sort === "host"
          ? ["store-behind-its-own-dns", "use an address, or a name that a static record outside the cluster answers"]
          : need.why === DEPENDS_ON
            ? ["dependency-circle", "take this dependsOn out: it makes the two wait for each other"]
            : need.why === SUBSTITUTES
              ? ["substitutes-what-it-feeds", "write the value into the tree, or let the bootstrap make what is substituted from"]
              : ["circle", "take one of these links out"];
  return {
    rule,
    level: MADE_BEFORE.test(key) && world.undescribed.some(({ name }) => name === BOOTSTRAP) ? "unknown" : "error",
    file: need.source.file,
    line: need.source.line,
    object: step.unit.name,
    message: `${step.unit.name} ${say(need)}, which cannot be before it${keys.length > 1 ? ` (nor can ${keys.length - 1} more kind${keys.length > 2 ? "s" : ""})` : ""}${others(units - 1)}`,
    why: inLinks(way),
    fix,
  };
}

/** Keys that a bootstrap often provides: if the bootstrap cannot be read, the cycle may not exist. */
const MADE_BEFORE = /^(kind:|namespace:|exists:(Secret|ConfigMap)\/)/;

/** The cycle in words, without the order of steps within a unit, and with the unit that must apply an object. */
const inLinks = (way: Circle["way"]) =>
  way
    .map(({ step, need }, index) => ({ step, need, next: (way[index + 1] ?? way[0]!).step.unit.name }))
    .filter(({ need }) => !need.key.startsWith("done:"))
    .map(({ step, need, next }) => `${step.unit.name} ${need.why === APPLIED ? `can begin only once ${next} has applied it` : say(need)}`)
    .join("; ");
