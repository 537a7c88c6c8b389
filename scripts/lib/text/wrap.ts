// Wraps lines at spaces to the width of the terminal.

/** Width of the terminal; 80 without one. */
export const widthOf = (out: { columns?: number } = process.stdout) => Math.max(40, out.columns ?? 80);

/** Wraps every line at spaces; a word that is longer than a line is not split. Continuation lines start at `column`, or at the indent of their line. */
export const wrap = (text: string, width = widthOf(), column?: number): string =>
  text
    .split("\n")
    .flatMap((line) => wrapLine(line, width, column))
    .join("\n");

function wrapLine(line: string, width: number, column?: number): string[] {
  if (line.length <= width) return [line];
  const indent = column === undefined ? `${/^ */.exec(line)![0]}  ` : " ".repeat(column);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const start = lines.length === 0 ? indent.length - 1 : indent.length;
    let cut = rest.lastIndexOf(" ", width);
    if (cut < start) cut = rest.indexOf(" ", start);
    if (cut < 0) break;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = `${indent}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
