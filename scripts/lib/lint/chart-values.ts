// The key list of a chart (scripts/lint/schemas/charts, its README describes the lines), and which values the chart does not know.
import { nearest } from "../nearest.ts";

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
  /** Where the list was made from another version than that: what is unknown may be newer. */
  readAt?: string;
  paths: Map<string, KnownPath>;
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
  const readAt = /chart version ([^\s;]+)/.exec(lines[1] ?? "")?.[1];
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
  return { chart, version, ...(readAt !== undefined && { readAt }), paths };
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
export function strayValues(values: unknown, { paths }: Pick<ChartValues, "paths">): StrayValue[] {
  const walk = (value: unknown, path: string, parent: string): StrayValue[] => {
    const here = paths.get(path) ?? paths.get(path.replace(/\.("[^"]*"|[^.]+)$/, ".*"));
    if (path && !here) return [unknownAt(path, parent)];
    if (here?.free || value === null) return []; // null takes the default away: Helm allows it everywhere
    const kind = kindOf(value);
    const known = path ? here : undefined;
    if (known && !known.kinds.some((one) => one === kind || one === "any" || (one === "number" && kind === "int")))
      return [{ path, message: `is a ${kind}, the chart takes ${known.kinds.join("|")}`, refused: known.strict }];
    if (kind === "list")
      return (value as unknown[]).flatMap((one, index) =>
        paths.has(`${path}[]`)
          ? walk(one, `${path}[]`, path).map((stray) => ({ ...stray, path: stray.path.replace(`${path}[]`, `${path}[${index}]`) }))
          : [],
      );
    if (kind === "map")
      return Object.entries(value as object).flatMap(([key, one]) =>
        walk(one, `${path}${path && "."}${key.includes(".") ? `"${key}"` : key}`, path),
      );
    return [];
  };
  const unknownAt = (path: string, parent: string): StrayValue => {
    const key = path.slice(parent.length + (parent ? 1 : 0));
    const start = parent && `${parent}.`;
    const beside = [...paths.keys()].filter(
      (one) => one.startsWith(start) && !one.slice(start.length).includes(".") && one.length > start.length,
    );
    const close = nearest(
      key,
      beside.map((one) => one.slice(start.length).replace(/\[\]$/, "")),
    );
    return {
      path,
      message: "is unknown to the chart",
      refused: paths.get(parent || ".")?.strict ?? false,
      ...(close !== undefined && { nearest: `${start}${close}` }),
    };
  };
  return walk(values, "", "");
}
