// The answer to EXPLAIN=: each need of an object with its provider and time, and the longest chain of steps before it.
import { nearest } from "../../text/nearest.ts";
import { bringersOf, thingsOf } from "./bringers.ts";
import type { Convergence } from "./converge.ts";
import { durationOf } from "./duration.ts";
import { say } from "./keys.ts";
import type { State } from "./state.ts";
import type { Need, Step } from "./step.ts";
import { pathTo } from "./waves.ts";

/** The lines of an answer; `asked` is a name, with its namespace, or its kind too. Undefined where there is no such object. */
export function explain(
  { state, stuck }: Pick<Convergence, "state" | "stuck">,
  asked: string,
  shownPath: (file: string) => string = (file) => file,
): string[] | undefined {
  const units = new Map<string, Step[]>();
  for (const step of stepsFor(asked, state)) units.set(step.unit.name, [...(units.get(step.unit.name) ?? []), step]);
  if (units.size === 0) return bringersOf(asked, state);
  const told: string[][] = [];
  // the longest chain first, so that a chain that is the start of another is not printed again
  const ways = new Map([...units].map(([name, own]) => [name, wayTo(own.at(-1)!, state)]));
  for (const way of [...ways.values()].sort((a, b) => b.length - a.length))
    if (!told.some((other) => way.every((line, index) => other[index] === line))) told.push(way);
  return [...units].flatMap(([name, own]) => {
    const last = own.at(-1)!;
    const { at, wave } = state.taken.get(last)!;
    const isStuck = own.some((step) => stuck.has(step));
    const way = ways.get(name)!;
    return [
      `${name} (${shownPath(last.source.file)}:${last.source.line})`,
      isStuck ? "  is never ready: see the findings" : `  is ready in wave ${wave}, after about ${durationOf(at)}`,
      ...needLines(own, state),
      ...(way.length > 1 && !isStuck && told.includes(way) ? ["  the longest way to it:", ...way] : []),
    ];
  });
}

const wayTo = (step: Step, state: State) =>
  pathTo(step, state).map(({ at, name, waitedFor }) => `    ${durationOf(at).padStart(7)}  ${name}${waitedFor ? ` ${waitedFor}` : ""}`);

/** The heading above all needs of one kind. */
const HOW: Record<Need["how"], string> = {
  guard: "waits for:",
  attempt: "is tried, fails and is repeated until these are there:",
  wait: "the cluster waits for:",
  passing: "is refused while their Pods start:",
};

function needLines(own: readonly Step[], state: State): string[] {
  const needs = own.flatMap((step) => step.needs).filter(({ key }) => !key.startsWith("done:"));
  return (Object.keys(HOW) as Need["how"][]).flatMap((how) => {
    const lines = [...new Set(needs.filter((need) => need.how === how).map((need) => `    ${needLine(need, state)}`))];
    return lines.length > 0 ? [`  ${HOW[how]}`, ...lines] : [];
  });
}

function needLine(need: Need, state: State): string {
  const there = state.reached.get(need.key);
  const from = there?.by
    ? `${there.by.unit.name}, wave ${there.wave}, after about ${durationOf(there.at)}`
    : there?.granted
      ? "nowhere: see the findings"
      : "the bootstrap";
  return `${say(need)}: ${there === undefined && need.how === "passing" ? "not looked at" : `from ${from}`}`;
}

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

/** The object with the nearest name, if the name in the question does not exist. */
export function meant(asked: string, { state }: Pick<Convergence, "state">): string | undefined {
  const names = [...new Set([...state.steps.map(({ unit }) => unit.name), ...thingsOf(state).keys()])];
  const short = (name: string) => name.slice(name.indexOf(" ") + 1);
  return (
    nearest(asked.replace(/^([A-Za-z]+)\/(?=.*\/)/, "$1 "), names) ??
    nearest(asked, names.map(short)) ??
    nearest(
      asked,
      names.map((name) => short(name).split("/").at(-1)!),
    )
  );
}
