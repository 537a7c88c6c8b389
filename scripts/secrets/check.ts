// Shows which references to secrets resolve: those that are declared, and those in templates and in kubernetes/.
import { Failure } from "../lib/run/errors.ts";
import { main, procedure } from "../lib/run/procedure.ts";
import { toAct } from "../lib/run/to-act.ts";
import type { Entry } from "../lib/secrets/entry.ts";
import type { Known } from "../lib/secrets/entries.ts";
import type { Resolution } from "../lib/secrets/source.ts";

const { referenceOf } = await toAct(() => import("../lib/secrets/entry.ts"));
const { parseReference } = await toAct(() => import("../lib/secrets/reference.ts"));
const { secretsOfHome } = await toAct(() => import("../lib/secrets/tree.ts"));
const { templateReferences } = await toAct(() => import("../lib/secrets/used.ts"));
const { lookUp } = await toAct(() => import("../lib/secrets/vault.ts"));
const { itemLines } = await toAct(() => import("../lib/secrets/unresolved.ts"));
const { exposed, vaultsOf } = await toAct(() => import("../lib/secrets/vaults.ts"));
const { INCOMPLETE } = await toAct(() => import("../lib/secrets/messages.ts"));
const { table } = await toAct(() => import("../lib/run/ui.ts"));

/** A reference, and whether it resolves to a value. */
export interface Row {
  reference: string;
  item: string;
  field: string;
  resolves: boolean;
  /** A bootstrap needs it. */
  now: boolean;
  purpose: string;
  /** Who creates it, or where a person fetches it; only if it is missing. */
  from?: string;
}

export interface Wanted {
  reference: string;
  now: boolean;
  purpose: string;
}

export const secretsCheck = procedure({
  name: "secrets:check",
  about: "show which 1Password references resolve",
  scope: "none",
  readOnly: true,
  options: {},
  async run(_values, { cluster, root, ui }) {
    const [templates, { entries, known, references, incomplete }] = await Promise.all([
      templateReferences(root, cluster),
      secretsOfHome(root, cluster),
    ]);
    if (incomplete) ui.warn(INCOMPLETE);
    const wanted = wantedBy(entries, templates, references);
    const answers = await lookUp(
      wanted.map((one) => one.reference),
      known,
    );
    const rows = rowsOf(wanted, answers, known);
    const missing = rows.filter(({ resolves }) => !resolves);
    const held = rows
      .filter(({ resolves }) => resolves)
      .map(({ reference: name, item }) => ({ id: "", title: item, vault: parseReference(name).vault }));
    for (const line of exposed(cluster, held)) ui.warn(line);
    ui.result(rows, show(rows, vaultsOf(cluster).length > 1));
    ui.say(`${rows.length - missing.length} of ${rows.length} references resolve`);
    const blocking = missing.filter(({ now }) => now);
    if (blocking.length === 0) return;
    throw new Failure({
      attempted: `resolve ${blocking.length === 1 ? "a reference" : `${blocking.length} references`} that a bootstrap needs`,
      said: itemLines(blocking.map((row) => row.reference)).join("\n"),
      next: "task secrets:init (creates what can be created, says where to fetch the rest)",
    });
  },
});

/**
 * The declared references, without those that another target stores; then those that only templates use, and those that only kubernetes/ reads.
 * References in templates of bootstrap/ and talos/ are needed now, those of kubernetes/ when Flux runs.
 */
export function wantedBy(
  entries: readonly Entry[],
  used: ReadonlyMap<string, string>,
  tree: ReadonlyMap<string, string> = new Map(),
): Wanted[] {
  const listed = entries
    .filter(({ source }) => !("task" in source))
    .map((entry): Wanted => {
      const name = referenceOf(entry);
      return { reference: name, now: entry.now || used.has(name), purpose: entry.purpose };
    });
  const known = new Set(listed.map((one) => one.reference));
  const more = [...used]
    .filter(([name]) => !known.has(name))
    .map(([name, file]): Wanted => ({ reference: name, now: true, purpose: file }));
  const later = [...tree]
    .filter(([name]) => !known.has(name) && !used.has(name))
    .map(([name, file]): Wanted => ({ reference: name, now: false, purpose: file }));
  return [...listed, ...more, ...later];
}

/** A row for each reference, in the same order. */
export function rowsOf(wanted: readonly Wanted[], answers: ReadonlyMap<string, Resolution>, { originOf }: Pick<Known, "originOf">): Row[] {
  return wanted.map(({ reference: name, now, purpose }) => {
    const { item, field } = parseReference(name);
    const answer = answers.get(name);
    const resolves = answer !== undefined && "value" in answer;
    return { reference: name, item, field, resolves, now, purpose, ...(!resolves && { from: originOf(name) }) };
  });
}

/** One line per item for the fields that resolve, and one for those that are missing and come from the same place. */
function show(rows: readonly Row[], withVault: boolean): string {
  const nameOf = ({ reference: name, item }: Row) => (withVault ? `${parseReference(name).vault}/${item}` : item);
  const alike = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${nameOf(row)} ${row.from}`;
    alike.set(key, [...(alike.get(key) ?? []), row]);
  }
  const fields = (some: Row[]) => (some.length > 4 ? `${some.length} fields` : some.map(({ field }) => field).join(", "));
  return table(
    ["item", "state", "needed", "fields", "from"],
    [...alike.values()].map((some) => {
      const [first] = some as [Row];
      const { resolves, now, from } = first;
      return [nameOf(first), resolves ? "resolves" : "missing", now ? "now" : "later", fields(some), from ?? ""];
    }),
  );
}

await main(import.meta, secretsCheck);
