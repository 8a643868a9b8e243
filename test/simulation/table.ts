/** A table in Markdown. */
export const table = (heading: string, rows: readonly (readonly [name: string, count: number])[]): string =>
  [
    `| ${heading} | |`,
    '| --- | ---: |',
    ...rows.map(([name, count]) => `| ${name} | ${count.toLocaleString('en')} |`),
  ].join('\n');

export const mostFrequentFirst = (counts: Readonly<Record<string, number>>): readonly [string, number][] =>
  Object.entries(counts).sort(([, a], [, b]) => b - a);
