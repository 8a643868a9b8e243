/** The findings of an item of the bench, as a table. */
import { type Figure, spread } from './figures.ts';

export interface Item {
  readonly title: string;
  /** How it was measured, as far as the figures cannot be read without it. */
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
  readonly targets?: readonly Target[];
}

/** The contender, and each of its figures by what it measures and the unit. */
export interface Row {
  readonly name: string;
  readonly [measure: string]: string | number | Figure | undefined;
}

export interface Target {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
  readonly atMost: number;
  /** What to do when it is not reached. */
  readonly advice: string;
}

export const isReached = ({ value, atMost }: Target): boolean => value <= atMost;

const ON_PURPOSE = 'If a feature needs more, raise the limit in bench/main.ts and give the reason in the commit.';

export function print({ title, notes, rows, targets = [] }: Item): void {
  console.log(`\n## ${title}\n`);
  printTable(rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, text(value)]))));
  for (const note of notes) console.log(`  ${note}`);
  if (targets.length > 0) console.log();
  for (const target of targets) console.log(sentence(target));
}

function sentence(target: Target): string {
  const { name, value, unit = '', atMost, advice } = target;
  const found = `${name}: ${Number(value.toFixed(2))}${unit}, at most ${atMost}${unit}`;
  return isReached(target) ? `✓ ${found}` : `✗ NOT REACHED: ${found}\n  ${advice} ${ON_PURPOSE}`;
}

const text = (value: Row[string]): string => {
  if (value === undefined) return '';
  return typeof value === 'object' ? spread(value) : String(value);
};

/** The columns in the order in which the rows bring them. */
function printTable(rows: readonly Readonly<Record<string, string>>[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const width = (column: string) => Math.max(...[column, ...rows.map((row) => row[column] ?? '')].map((s) => s.length));
  const line = (cell: (column: string, width: number) => string) =>
    console.log(`| ${columns.map((column) => cell(column, width(column))).join(' | ')} |`);
  line((column, width) => (column === 'name' ? '' : column).padEnd(width));
  line((_, width) => '-'.repeat(width));
  for (const row of rows) line((column, width) => (row[column] ?? '').padEnd(width));
}
