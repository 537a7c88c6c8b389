// Messages about references that did not resolve: one line per item, with its fields, the reason, and who creates them.
import type { Known } from "./entries.ts";
import { parseReference } from "./reference.ts";
import { meansNoItem } from "./op-error.ts";
import type { Resolution } from "./source.ts";

/** More names than this are shown as a number. */
const FEW = 4;

interface Missing {
  reference: string;
  field: string;
  reason: string;
}

/** A line for each item, in the order in which they were asked for. */
export function unresolvedLines(
  references: readonly string[],
  answers: ReadonlyMap<string, Resolution>,
  known: Pick<Known, "whoMakes">,
): string[] {
  const items = new Map<string, Missing[]>();
  for (const reference of references) {
    const { vault, item, field } = parseReference(reference);
    const answer = answers.get(reference);
    const reason = answer && "missing" in answer ? answer.missing : "no answer";
    const place = `op://${vault}/${item}`;
    items.set(place, [...(items.get(place) ?? []), { reference, field, reason }]);
  }
  return [...items].map(([place, missing]) => `${place}: ${reasonsOf(missing)}; ${makersOf(missing, known)}`);
}

/** The same without reasons: `op://vault/item: FIELD, FIELD` */
export function itemLines(references: readonly string[]): string[] {
  const items = group(
    references.map((reference) => ({ ...parseReference(reference), reference, reason: "" })),
    ({ vault, item }) => `op://${vault}/${item}`,
  );
  return [...items].map(([place, fields]) => `${place}: ${named(fields)}`);
}

function reasonsOf(missing: readonly Missing[]): string {
  const fields = named(missing);
  if (missing.some(({ reason }) => meansNoItem(reason))) return `the item is missing (${fields})`;
  // reasons that differ only in the field's name are one reason
  const alike = group(missing, ({ field, reason }) => reason.replaceAll(field, "\0"));
  return [...alike]
    .map(([reason, some]) => (reason.includes("\0") ? reason.replaceAll("\0", named(some)) : `${named(some)}: ${reason}`))
    .join("; ");
}

function makersOf(missing: readonly Missing[], { whoMakes }: Pick<Known, "whoMakes">): string {
  const makers = group(missing, ({ reference }) => whoMakes(reference));
  return [...makers].map(([maker, some]) => (makers.size > 1 ? `${named(some)}: ${maker}` : maker)).join("; ");
}

const named = (some: readonly Missing[]) => (some.length > FEW ? `${some.length} fields` : some.map(({ field }) => field).join(", "));

function group<T>(some: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of some) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}
