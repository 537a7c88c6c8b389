// What an object waits for, and why: each need with who brings it and when, and the longest way to it.
import type { Convergence } from "./converge.ts";
import { durationOf } from "./duration.ts";
import { say } from "./keys.ts";
import { nearest } from "../../nearest.ts";
import type { State } from "./state.ts";
import type { Need, Step } from "./step.ts";
import { pathTo } from "./waves.ts";

/** The lines of an answer; `asked` is `Kind namespace/name`, `Kind/namespace/name`, or a name alone. Undefined where there is no such object. */
export function explain({ state, stuck }: Pick<Convergence, "state" | "stuck">, asked: string): string[] | undefined {
  const steps = stepsFor(asked, state);
  if (steps.length === 0) return undefined;
  const units = new Map<string, Step[]>();
  for (const step of steps) units.set(step.unit.name, [...(units.get(step.unit.name) ?? []), step]);
  return [...units].flatMap(([name, own]) => {
    const last = own.at(-1)!;
    const { at, wave } = state.taken.get(last)!;
    const held = own.some((step) => stuck.has(step));
    const lines = [
      `${name} (${last.source.file}:${last.source.line})`,
      held ? "  is never ready: see the findings" : `  is ready in wave ${wave}, after about ${durationOf(at)}`,
    ];
    for (const step of own) for (const need of step.needs) if (!need.key.startsWith("done:")) lines.push(`  ${needLine(need, state)}`);
    const path = pathTo(last, state);
    if (path.length > 1 && !held)
      lines.push(
        "  the longest way to it:",
        ...path.map((link) => `    ${durationOf(link.at).padStart(7)}  ${link.name}${link.waitedFor ? ` ${link.waitedFor}` : ""}`),
      );
    return lines;
  });
}

function needLine(need: Need, state: State): string {
  const there = state.reached.get(need.key);
  const from = there?.by
    ? `${there.by.unit.name}, wave ${there.wave}, after about ${durationOf(there.at)}`
    : there?.granted
      ? "nowhere: see the findings"
      : "the bootstrap";
  return `${say(need)}: ${there === undefined && need.how === "passing" ? "not looked at" : `from ${from}`}${HOW[need.how]}`;
}

const HOW: Record<Need["how"], string> = {
  guard: "",
  attempt: " (tried without it, it fails and is repeated)",
  wait: " (the cluster waits for it)",
  passing: " (refused only while its Pods start)",
};

function stepsFor(asked: string, { steps }: State): Step[] {
  const wanted = asked
    .trim()
    .replace(/^([A-Za-z]+)\/(?=.*\/)/, "$1 ")
    .toLowerCase();
  const exact = steps.filter(({ unit }) => unit.name.toLowerCase() === wanted);
  if (exact.length > 0) return exact;
  return steps.filter(({ unit }) => {
    const [, name = ""] = unit.name.toLowerCase().split(" ");
    return name === wanted || name.slice(name.indexOf("/") + 1) === wanted;
  });
}

/** The object with the nearest name, for a question about one that is not there. */
export const meant = (asked: string, { state }: Pick<Convergence, "state">) =>
  nearest(asked, [...new Set(state.steps.map(({ unit }) => unit.name))]);
