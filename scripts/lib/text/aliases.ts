// YAML aliases that cannot be read: the yaml package reports them without a line, and only when the document becomes values.
import { type Document, visit } from "yaml";

export interface AliasMistake {
  /** Where the alias stands in the text. */
  offset: number;
  text: string;
}

/** Aliases of anchors that do not exist above them, and aliases inside the value that their anchor names. */
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
