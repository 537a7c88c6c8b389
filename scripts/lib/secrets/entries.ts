// Questions to the catalogue: what this home needs, what may be seen, who makes a value.
import type { Cluster } from "../cluster/cluster.ts";
import { CATALOGUE } from "./catalogue.ts";

/** What this home needs: nothing of a hypervisor that it does not use. */
export const entriesFor = ({ hypervisor }: Pick<Cluster, "hypervisor">) =>
  CATALOGUE.filter((entry) => entry.hypervisor === undefined || entry.hypervisor === hypervisor);

const byField = new Map(CATALOGUE.map((entry) => [entry.field, entry]));

/** Whether a field's value may be seen; a field that nobody listed may not. */
export const isPublic = (field: string) => byField.get(field)?.public ?? false;

/** Where the value of a field comes from: a target, or a link. */
export function originOf(field: string): string {
  const source = byField.get(field)?.source;
  if (!source) return "you: it is not in the catalogue of docs/secrets.md";
  if ("init" in source) return "task secrets:init";
  return "task" in source ? source.task : source.person.link;
}

/** The same as a sentence for an error, with the rights that a key or token needs. */
export function whoMakes(field: string): string {
  const source = byField.get(field)?.source;
  if (source && "person" in source) return `only you can fetch it: ${source.person.link} (rights: ${source.person.rights})`;
  return source ? `${originOf(field)} creates it` : "yours to create: it is not in the catalogue of docs/secrets.md";
}
