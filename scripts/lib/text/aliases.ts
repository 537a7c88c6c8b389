// Finds unreadable YAML aliases. The yaml package reports them without a line, and only when it converts the document to values.
import { type Document, visit } from "yaml";

export interface AliasMistake {
  /** Position of the alias in the text. */
  offset: number;
  text: string;
}

/** Aliases without an anchor above them, and aliases inside the value of their own anchor. */
export function wrongAliases(document: Document): AliasMistake[] {
  const found: AliasMistake[] = [];
  visit(document, {
    Alias(_, alias, parents) {
      const name = alias.source;
      const target = alias.resolve(document);
      const text =
        target === undefined
          ? `no anchor &${name} stands above it (write the value, or set the anchor at the first use)`
          : parents.includes(target)
            ? `stands inside its own anchor &${name} (write the value)`
            : undefined;
      if (text !== undefined) found.push({ offset: alias.range?.[0] ?? 0, text: `*${name}: ${text}` });
    },
  });
  return found;
}
