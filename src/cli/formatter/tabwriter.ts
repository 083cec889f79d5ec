interface Layout {
  readonly minWidth: number;
  readonly padding: number;
}

/** Of docker's tables. */
const TABLE: Layout = { minWidth: 10, padding: 3 };

/**
 * Aligns tab-separated columns as Go's text/tabwriter does. A column is a run of neighbouring lines that have a tab there;
 * the last cell of a line belongs to no column.
 */
export function alignColumns(text: string, layout: Layout = TABLE): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  fillColumn(lines, widths, 0, 0, lines.length, layout);
  return lines.map((cells, index) => renderLine(cells, widths[index] ?? [])).join('\n');
}

function renderLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column < cells.length - 1 ? padTo(cell, widths[column] ?? 0) : cell))
    .join('');
}

/** Sets the widths of `column` within lines `from` to `to`, run by run, then of the columns right of it. */
function fillColumn(
  lines: readonly (readonly string[])[],
  widths: number[][],
  column: number,
  from: number,
  to: number,
  layout: Layout,
): void {
  let start = from;
  while (start < to) {
    if (!hasCell(lines[start], column)) {
      start += 1;
      continue;
    }
    let end = start;
    while (end < to && hasCell(lines[end], column)) end += 1;
    const longest = Math.max(...lines.slice(start, end).map((cells) => textWidth(cells[column] ?? '')));
    const width = Math.max(layout.minWidth, longest + layout.padding);
    for (let line = start; line < end; line += 1) (widths[line] as number[])[column] = width;
    fillColumn(lines, widths, column + 1, start, end, layout);
    start = end;
  }
}

/** Whether a line has a tab-terminated cell there. */
const hasCell = (cells: readonly string[] | undefined, column: number): boolean =>
  cells !== undefined && column < cells.length - 1;

/** Columns of a terminal: wide letters take two, those that combine none; escape sequences count as they stand. */
const textWidth = (text: string): number => Bun.stringWidth(text, { countAnsiEscapeCodes: true });

const padTo = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - textWidth(text)));
