// Who brings a thing that is no step of its own (a Secret, a StorageClass, a kind), and who waits for it.
import { durationOf } from "./duration.ts";
import { inWords, partsOf } from "./keys.ts";
import type { State } from "./state.ts";
import type { Key } from "./step.ts";

/** Everything that is needed or brought, by its name in words: `Secret media/app-secret`, `the kind Widget (example.com)`. */
export function thingsOf(state: State): Map<string, Set<Key>> {
  const things = new Map<string, Set<Key>>();
  for (const step of state.steps)
    for (const key of [...step.needs.map((need) => need.key), ...state.brings(step)]) {
      const { sort, reference } = partsOf(key);
      if (!reference && !/^(kind|namespace|controller|webhook|serving)$/.test(sort)) continue;
      if (sort === "tried") continue;
      const name = inWords(key);
      things.set(name, (things.get(name) ?? new Set()).add(key));
    }
  return things;
}

/** The lines about each thing of that name; undefined where there is none. */
export function bringersOf(asked: string, state: State): string[] | undefined {
  const wanted = asked.trim().toLowerCase();
  const found = [...thingsOf(state)].filter(([name, keys]) => namesOf(name, [...keys][0]!).includes(wanted));
  if (found.length === 0) return undefined;
  return found.flatMap(([name, keys]) => [name, ...[...keys].sort().flatMap((key) => linesOf(key, state))]);
}

function linesOf(key: Key, state: State): string[] {
  const there = state.reached.get(key);
  const is = partsOf(key).sort === "ready" ? "is made ready by" : "comes from";
  const by = there?.by
    ? `${there.by.unit.name}, wave ${there.wave}, after about ${durationOf(there.at)}`
    : there && !there.granted
      ? "the bootstrap, or is there from the start"
      : "nothing: see the findings";
  const waiting = [...new Set(state.users(key).map(({ unit }) => unit.name))];
  return [`  ${is} ${by}`, waiting.length === 0 ? "    nothing waits for it" : `    waited for by ${waiting.join(", ")}`];
}

/** What a person may call it: in words, with slashes, by its bare name; a kind also by its CustomResourceDefinition. */
function namesOf(words: string, key: Key): string[] {
  const { sort, rest, reference } = partsOf(key);
  if (reference) {
    const { kind, namespace, name } = reference;
    const full = namespace ? `${namespace}/${name}` : name;
    return [words, `${kind}/${full}`, full, name].map((one) => one.toLowerCase());
  }
  if (sort !== "kind") return [words, rest, rest.slice(rest.indexOf("/") + 1)].map((one) => one.toLowerCase());
  const [group = "", kind = ""] = rest.toLowerCase().split("/");
  const crd = `${pluralOf(kind)}.${group}`;
  return [words.toLowerCase(), kind, `${kind}.${group}`, crd, `customresourcedefinition/${crd}`];
}

/** As the API machinery makes a resource's name from its kind. */
const pluralOf = (kind: string) =>
  /(s|x|ch|sh)$/.test(kind) ? `${kind}es` : /[^aeiou]y$/.test(kind) ? `${kind.slice(0, -1)}ies` : `${kind}s`;
