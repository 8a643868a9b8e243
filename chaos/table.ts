/** A table in Markdown. */
export const table = (heading: string, counts: Readonly<Record<string, number>>): string =>
  [
    `| ${heading} | |`,
    '| --- | ---: |',
    ...Object.entries(counts).map(([name, count]) => `| ${name} | ${count.toLocaleString('en')} |`),
  ].join('\n');

export const mostFrequentFirst = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
