// Columns like Go's tabwriter: padded to the widest cell plus three spaces, except the last.

/** Lines of cells; each line ends with a newline. */
export function columns(rows: (string | number | boolean)[][], gap = 3): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => void (widths[at] = Math.max(widths[at] ?? 0, String(cell).length)));
  return rows
    .map((row) => `${row.map((cell, at) => (at === row.length - 1 ? String(cell) : String(cell).padEnd(widths[at]! + gap))).join("")}\n`)
    .join("");
}
