// What secrets:init says: the plan, its warnings, and what only a person can fetch.
import type { Context } from "../run/context.ts";
import type { Step } from "../run/plan.ts";
import { nameOfRule } from "../tree/sops.ts";
import { AGE_KEY } from "./age.ts";
import { fetchList } from "./fetch-list.ts";
import type { SecretsPlan } from "./plan.ts";
import type { HomeSecrets } from "./tree.ts";
import { nameOf, vaultsInWords } from "./vaults.ts";

/** Warnings, which do not stop the run. */
export function warningsOf({ foreignRules, exposed }: SecretsPlan, { undeclared, incomplete }: HomeSecrets): string[] {
  return [
    ...foreignRules.map(
      (rule) =>
        `${nameOfRule(rule)}: does not name this home's age key. secrets:init replaces only the placeholder: add the recipient if this home has to decrypt those files`,
    ),
    ...exposed,
    ...undeclared.map(
      ({ item, field, source }) =>
        `${source.file}:${source.line}: reads ${field === undefined ? "" : `the field ${field} of `}the item ${item.replaceAll("|", " or ")}, which no secret-sources.yaml declares`,
    ),
    ...(incomplete ? [INCOMPLETE] : []),
  ];
}

export const INCOMPLETE = "part of kubernetes/ cannot be read, so some secrets may be missing from this list: task lint:kubernetes";

/** The lines of the plan. */
export function describe({ writes, adoptKeyFile, writeRecipient }: SecretsPlan, { cluster, env }: Context): string[] {
  const lines = writes.map(({ id, entries }) => {
    const title = nameOf(cluster, entries[0]!);
    const fields = entries.length > 4 ? `${entries.length} fields` : entries.map(({ field }) => field).join(", ");
    const adopted = adoptKeyFile && entries.some(({ field }) => field === AGE_KEY.field) ? `, the key of ${env.SOPS_AGE_KEY_FILE}` : "";
    return `${id === undefined ? "create item" : "add to item"} ${title}: ${fields}${adopted}`;
  });
  return [
    ...lines,
    ...(writeRecipient ? ["write .sops.yaml: the age key's recipient in place of the placeholder; other recipients stay"] : []),
  ];
}

/** The plan's actions. */
export const stepsOf = ({ writes, writeRecipient }: SecretsPlan): Step[] => [
  ...writes.flatMap(({ title, entries }) => entries.map(({ field }) => ({ action: `create ${field} in item`, target: title }))),
  ...(writeRecipient ? [{ action: "write the recipient to", target: ".sops.yaml" }] : []),
];

/** What exists, what was created, and what only a person can fetch. */
export function report({ cluster, ui, dryRun }: Context, { writes, fetch, there }: SecretsPlan): void {
  const made = writes.flatMap(({ vault, title, entries }) => entries.map(({ field }) => ({ vault, item: title, field })));
  const value = {
    there: there.length,
    [dryRun ? "toCreate" : "created"]: made,
    fetch: fetch.map(({ vault, item, field, purpose, now, source }) => ({
      vault,
      item,
      field,
      purpose,
      now,
      ...("person" in source && source.person),
    })),
  };
  if (fetch.length === 0) return ui.result(value, "nothing is left for you to fetch");
  ui.result(
    value,
    `Only you can fetch these; put them into ${vaultsInWords(cluster)} under these names, then: task secrets:check\n\n${fetchList(fetch, cluster)}`,
  );
}
