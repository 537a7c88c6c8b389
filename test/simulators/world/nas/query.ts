// The query language of every `*.query`: filters, order, selection. Rows in, rows out.
import { invalid, raised, type Refusal } from "./refusals.ts";

export type Row = Record<string, unknown>;

export interface QueryOptions {
  extra?: Record<string, unknown>;
  order_by?: string[];
  select?: (string | [string, string])[];
  count?: boolean;
  get?: boolean;
  offset?: number;
  limit?: number;
}

type Test = (value: any, wanted: any) => boolean;

const contains = (list: unknown, value: unknown) => (Array.isArray(list) || typeof list === "string") && list.includes(value as never);
const TESTS: Record<string, Test> = {
  "=": (value, wanted) => value === wanted,
  ">": (value, wanted) => value > wanted,
  ">=": (value, wanted) => value >= wanted,
  "<": (value, wanted) => value < wanted,
  "<=": (value, wanted) => value <= wanted,
  "~": (value, wanted) => new RegExp(`^(?:${wanted})`).test(String(value)), // Python's match: from the beginning
  in: (value, wanted) => contains(wanted, value),
  rin: (value, wanted) => contains(value, wanted),
  "^": (value, wanted) => String(value).startsWith(wanted),
  $: (value, wanted) => String(value).endsWith(wanted),
};
const not =
  (test: Test): Test =>
  (value, wanted) =>
    !test(value, wanted);
Object.assign(TESTS, { "!=": not(TESTS["="]!), nin: not(TESTS.in!), rnin: not(TESTS.rin!), "!^": not(TESTS["^"]!), "!$": not(TESTS.$!) });

const lower = (value: unknown): unknown =>
  typeof value === "string" ? value.toLowerCase() : Array.isArray(value) ? value.map(lower) : value;

function findTest(op: string): Test | undefined {
  const ignoresCase = op.startsWith("C") ? TESTS[op.slice(1)] : undefined;
  return TESTS[op] ?? (ignoresCase && ((value, wanted) => ignoresCase(lower(value), lower(wanted))));
}

const at = (row: unknown, field: string): unknown =>
  field.split(".").reduce<unknown>((value, key) => (typeof value === "object" && value !== null ? (value as Row)[key] : undefined), row);

/** Whether the row passes one filter: `[field, op, value]` or `["OR", [filter, …]]`, whose members may be lists that all must pass. */
function passes(row: Row, filter: unknown[]): boolean {
  const [field, op, wanted] = filter;
  if (field === "OR") {
    const any = op as unknown[][];
    return any.some((each) => (Array.isArray(each[0]) ? (each as unknown[][]).every((inner) => passes(row, inner)) : passes(row, each)));
  }
  return findTest(op as string)!(at(row, field as string), wanted);
}

function faultOf(filter: unknown): string | undefined {
  if (!Array.isArray(filter)) return `Invalid filter ${JSON.stringify(filter)}`;
  if (filter[0] === "OR")
    return Array.isArray(filter[1]) && filter.length === 2 ? undefined : `Invalid OR filter ${JSON.stringify(filter)}`;
  if (filter.length !== 3) return `Invalid filter ${JSON.stringify(filter)}`;
  return findTest(String(filter[1])) ? undefined : `Invalid operation: ${String(filter[1])}`;
}

/** Filters, orders, cuts and selects; a number with `count`, one row with `get`. */
export function query(
  rows: readonly Row[],
  filters: readonly unknown[] = [],
  options: QueryOptions = {},
): { rows: unknown } | { error: Refusal } {
  const fault = filters.map(faultOf).find((text) => text !== undefined);
  if (fault !== undefined) return { error: invalid(["filters", fault]) };
  let found = rows.filter((row) => (filters as unknown[][]).every((filter) => passes(row, filter)));
  if (options.count) return { rows: found.length };
  for (const field of (options.order_by ?? []).toReversed()) {
    const [name, sign] = field.startsWith("-") ? [field.slice(1), -1] : [field, 1];
    found = [...found].sort((a, b) => sign * compare(at(a, name), at(b, name)));
  }
  found = found.slice(options.offset ?? 0, options.limit ? (options.offset ?? 0) + options.limit : undefined);
  const select = options.select ?? [];
  if (select.length > 0) found = found.map((row) => pick(row, select));
  if (!options.get) return { rows: found };
  const [first] = found;
  return first ? { rows: first } : { error: raised("MatchNotFound", "MatchNotFound()") };
}

const compare = (a: any, b: any): number => (a === b ? 0 : a == null || a < b ? -1 : 1);

function pick(row: Row, select: NonNullable<QueryOptions["select"]>): Row {
  const picked: Row = {};
  for (const entry of select) {
    const [from, as] = typeof entry === "string" ? [entry, undefined] : entry;
    if (as !== undefined) picked[as] = at(row, from);
    else place(picked, from.split("."), at(row, from));
  }
  return picked;
}

function place(into: Row, [key, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) into[key!] = value;
  else place((into[key!] ??= {}) as Row, rest, value);
}
