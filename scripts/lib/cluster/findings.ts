// Findings about a file, by field, and their text.

/** Keys and indexes from the root of the document: ["nodes", 0, "address"]. */
export type Path = readonly (string | number)[];

export interface Finding {
  path: Path;
  /** The problem, and a hint in parentheses. */
  message: string;
}

/** A problem whose line is known already. */
export interface Note {
  line: number;
  text: string;
}

/** Reads a valid value; undefined for a missing or invalid one, so that one mistake does not hide another. */
export type Read = <T = string>(...path: Path) => T | undefined;

/** `nodes[0].address` */
export const fieldOf = (path: Path): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index ? `.${key}` : key)).join("");

/** `file:line: field: what is wrong (hint)`, a line each, in the order of the lines. */
export const tell = (file: string, found: readonly Finding[], lineOf: (path: Path) => number, notes: readonly Note[] = []): string[] => [
  // one number can break two rules with the same message
  ...new Set(
    [...notes, ...found.map(({ path, message }) => ({ line: lineOf(path), text: path.length ? `${fieldOf(path)}: ${message}` : message }))]
      .sort((a, b) => a.line - b.line)
      .map(({ line, text }) => `${file}:${line}: ${text}`),
  ),
];
