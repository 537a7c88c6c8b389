// The key list of a chart (scripts/lint/schemas/charts, its README describes the lines), and which values the chart does not know.
import { nearest } from "../text/nearest.ts";

export interface KnownPath {
  kinds: string[];
  /** Anything may stand below. */
  free: boolean;
  /** The chart's own schema refuses other keys. */
  strict: boolean;
  /** The chart's default, where it is a plain value. */
  fallback?: string | number | boolean;
}

export interface ChartValues {
  chart: string;
  version: string;
  /** The version that the list was made from: where the tree pins another, what is unknown may be newer. */
  readAt: string;
  paths: Map<string, KnownPath>;
  /** Free maps of which the list says nothing more. */
  open: ReadonlySet<string>;
}

export interface StrayValue {
  path: string;
  message: string;
  /** The chart's own schema refuses it: the install fails. Otherwise Helm ignores it silently. */
  refused: boolean;
  nearest?: string;
}

/** Reads one list. */
export function readChartValues(text: string): ChartValues {
  const lines = text.split("\n").filter(Boolean);
  const [, chart = "", version = ""] = /^# (\S+) {2}version (\S+)/.exec(lines[0] ?? "") ?? [];
  // a library's version ("common 5.1.0") is not the chart's: the list is then of the version that it names itself
  const readAt = /chart version (v?\d[^\s;]*)/.exec(lines[1] ?? "")?.[1] ?? version;
  const paths = new Map(
    lines
      .filter((line) => !line.startsWith("#"))
      .map((line) => {
        const [path = "", kind = "", fallback = "-", ...rest] = line.split(/ {2,}/);
        const flags = new Set(rest.flatMap((field) => field.split(" ")));
        const known: KnownPath = { kinds: kind.split("|"), free: flags.has("free"), strict: flags.has("strict") };
        if (/^(true|false)$/.test(fallback)) known.fallback = fallback === "true";
        else if (kind === "string" && fallback !== "-" && !/^[[{]/.test(fallback)) known.fallback = fallback.replace(/^"(.*)"$/, "$1");
        else if (/^(int|number)$/.test(kind) && /^-?[\d.]+$/.test(fallback)) known.fallback = Number(fallback);
        return [path, known] as const;
      }),
  );
  const described = new Set([...paths.keys()].flatMap((path) => [...path.matchAll(/\.\*\./g)].map(({ index }) => path.slice(0, index))));
  const open = new Set([...paths].filter(([path, { free }]) => free && !described.has(path)).map(([path]) => path));
  return { chart, version, readAt, paths, open };
}

const kindOf = (value: unknown) => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (typeof value === "object") return "map";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "number";
  return "string";
};

/** Every value that the chart does not know, or takes in another kind. */
export function strayValues(values: unknown, { paths, open }: Pick<ChartValues, "paths" | "open">): StrayValue[] {
  // `path` is where the value stands, `rule` how the chart writes that place: controllers.app and controllers.*
  const walk = (value: unknown, path: string, rule: string, parent: { path: string; rule: string }): StrayValue[] => {
    const here = rule === "" ? undefined : paths.get(rule);
    if (path !== "" && !here) return [unknownAt(path, rule, parent)];
    if (value === null || open.has(rule)) return []; // null takes a default away: Helm allows it everywhere
    const kind = kindOf(value);
    if (here && !here.kinds.some((one) => one === kind || one === "any" || (one === "number" && kind === "int")))
      return [{ path, message: `is a ${kind}, the chart takes ${here.kinds.join("|")}`, refused: here.strict }];
    const down = { path, rule };
    if (Array.isArray(value))
      return paths.has(`${rule}[]`) ? value.flatMap((one, index) => walk(one, `${path}[${index}]`, `${rule}[]`, down)) : [];
    if (kind !== "map") return [];
    return Object.entries(value as object).flatMap(([key, one]) => {
      const word = `${path && "."}${key.includes(".") ? `"${key}"` : key}`;
      const named = `${rule}${word}`;
      return walk(one, `${path}${word}`, paths.has(named) || !paths.has(`${rule}${path && "."}*`) ? named : `${rule}${path && "."}*`, down);
    });
  };
  const unknownAt = (path: string, rule: string, parent: { path: string; rule: string }): StrayValue => {
    const start = parent.rule && `${parent.rule}.`;
    const beside = [...paths.keys()].filter(
      (one) => one.startsWith(start) && one.length > start.length && !one.slice(start.length).includes("."),
    );
    const close = nearest(
      rule.slice(start.length),
      beside.map((one) => one.slice(start.length).replace(/\[\]$/, "")),
    );
    const refused = paths.get(parent.rule || ".")?.strict ?? false;
    return {
      path,
      message: "is unknown to the chart",
      refused,
      ...(close !== undefined && { nearest: `${parent.path && `${parent.path}.`}${close}` }),
    };
  };
  return walk(values, "", "", { path: "", rule: "" });
}
