// Lines no wider than the terminal: broken at spaces, what follows is indented below its beginning.

/** The terminal's width; 80 where there is none. */
export const widthOf = (out: { columns?: number } = process.stdout) => Math.max(40, out.columns ?? 80);

/** A text with every line broken at spaces to fit; a word that is longer than a line stays whole. What follows stands at `column`, or below its beginning. */
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
