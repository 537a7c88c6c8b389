// What is known about references: whether a value may be seen, and where it comes from. By item and field: two items may have a field of one name.
import { type Entry, referenceOf } from "./entry.ts";
import { parseReference } from "./reference.ts";

export interface Known {
  /** Whether the value may be shown. An undeclared value may not. */
  isPublic(place: Pick<Entry, "vault" | "item" | "field">): boolean;
  /** Where the value comes from: a target, or a link. */
  originOf(reference: string): string;
  /** The same as a sentence for an error, with the rights that a key or token needs. */
  whoMakes(reference: string): string;
}

/** Looks references up in these entries. */
export function describedBy(entries: readonly Entry[]): Known {
  const byReference = new Map(entries.map((entry) => [referenceOf(entry), entry]));
  const entryOf = (reference: string) => byReference.get(referenceOf(parseReference(reference)));
  const originOf = (reference: string): string => {
    const source = entryOf(reference)?.source;
    if (!source) return "you: no secret-sources.yaml declares it (docs/secrets.md)";
    if ("init" in source) return "task secrets:init";
    return "task" in source ? source.task : source.person.link;
  };
  return {
    isPublic: (place) => byReference.get(referenceOf(place))?.public ?? false,
    originOf,
    whoMakes(reference) {
      const source = entryOf(reference)?.source;
      if (source && "person" in source) return `only you can fetch it: ${source.person.link} (rights: ${source.person.rights})`;
      return source ? `${originOf(reference)} creates it` : "yours to create: no secret-sources.yaml declares it (docs/secrets.md)";
    },
  };
}
