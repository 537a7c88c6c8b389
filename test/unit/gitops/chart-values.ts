// What a chart's values may hold, read from scripts/lint/schemas/charts (its README describes the lines).
import type { Any } from "./tree.ts";

interface Known {
  kinds: string[];
  free: boolean;
}

/** The paths that a chart knows, from the text of its file. */
export function chartPaths(text: string): Map<string, Known> {
  const rows = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(
    rows.map((row) => {
      const [path = "", kind = "", ...rest] = row.split(/ {2,}/);
      return [path, { kinds: kind.split("|"), free: rest.some((field) => field.split(" ").includes("free")) }];
    }),
  );
}

const kindOf = (value: Any) =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "list"
      : typeof value === "object"
        ? "map"
        : typeof value === "boolean"
          ? "bool"
          : typeof value === "number"
            ? Number.isInteger(value)
              ? "int"
              : "number"
            : "string";

/** Every value that the chart does not know or takes in another kind: "cgroup.automount is unknown". Helm ignores such values without a word. */
export function strayValues(values: Any, known: Map<string, Known>): string[] {
  // `path` is where the value is, `rule` how the chart writes that place: controllers.app and controllers.*
  const walk = (value: Any, path: string, rule: string): string[] => {
    const here = known.get(rule);
    if (path && !here) return [`${path} is unknown`];
    if (here?.free && ![...known.keys()].some((one) => one.startsWith(`${rule}.*.`))) return [];
    const kind = kindOf(value);
    if (here && !here.kinds.some((one) => one === kind || one === "any" || (one === "number" && kind === "int")))
      return [`${path} is a ${kind}, the chart takes ${here.kinds.join("|")}`];
    if (kind === "list") return (value as Any[]).flatMap((one) => (known.has(`${rule}[]`) ? walk(one, `${path}[]`, `${rule}[]`) : []));
    if (kind === "map")
      return Object.entries(value as object).flatMap(([key, one]) => {
        const word = key.includes(".") ? `"${key}"` : key;
        const dot = path && ".";
        const named = `${rule}${dot}${word}`;
        return walk(one, `${path}${dot}${word}`, known.has(named) ? named : `${rule}${dot}*`);
      });
    return [];
  };
  return walk(values, "", "");
}

/** The files of facts, by the address of the chart that they are about. */
export function factsByChart(texts: Iterable<string>): Map<string, string> {
  return new Map([...texts].map((text) => [text.split("  version ", 1)[0]!.replace("# ", ""), text]));
}
