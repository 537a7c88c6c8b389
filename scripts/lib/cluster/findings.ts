// What is wrong with a file, by field; and how a person is told.

/** Keys and indexes from the document's root: ["nodes", 0, "address"]. */
export type Path = readonly (string | number)[];

export interface Finding {
  path: Path;
  /** What is wrong, and a hint in parentheses. */
  message: string;
}

/** What is wrong, where the line is known already. */
export interface Note {
  line: number;
  text: string;
}

/** Reads a value that is good by itself; undefined for one that is absent or wrong, so that one mistake does not hide another. */
export type Read = <T = string>(...path: Path) => T | undefined;

/** `nodes[0].address` */
export const fieldOf = (path: Path): string =>
  path.map((key, index) => (typeof key === "number" ? `[${key}]` : index ? `.${key}` : key)).join("");

/** `file:line: field: what is wrong (hint)`, a line each, in the order of the lines. */
export const tell = (file: string, found: readonly Finding[], lineOf: (path: Path) => number, notes: readonly Note[] = []): string[] => [
  // a number can break two rules that are one to a person
  ...new Set(
    [...notes, ...found.map(({ path, message }) => ({ line: lineOf(path), text: path.length ? `${fieldOf(path)}: ${message}` : message }))]
      .sort((a, b) => a.line - b.line)
      .map(({ line, text }) => `${file}:${line}: ${text}`),
  ),
];
