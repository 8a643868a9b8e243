/** Rows as a table of text, in the columns that the first of them has. */
export function table(rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number =>
    Math.max(...[column, ...rows.map((row) => row[column] ?? '')].map(lengthOf));
  const widths = new Map(columns.map((column) => [column, width(column)]));
  const line = (cell: (column: string) => string): string =>
    columns
      .map((column) => cell(column).padEnd(widths.get(column) ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line((column) => column),
    line((column) => '-'.repeat(widths.get(column) ?? 0)),
    ...rows.map((row) => line((column) => row[column] ?? '')),
  ].join('\n');
}

const lengthOf = ({ length }: string): number => length;
