/** What a run tells its reader. */
import { inspect } from 'node:util';
import type { Figures } from './figures.ts';
import type { Violation } from './invariants.ts';
import { mostFrequentFirst, table } from './table.ts';
import type { Delivery } from './world.ts';

const SHOWN = 3;

/** The command that repeats a run, or the one world of it in which something was wrong. */
export const replay = (options: Readonly<Record<string, number>>): string =>
  `npm run chaos -- ${Object.entries(options)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ')}`;

export const summary = ({ endings, faults, fingerprint, ...totals }: Figures): string =>
  [
    table('what happened', Object.entries(totals)),
    table('deliveries ended as', mostFrequentFirst(endings)),
    table('calls at DDS met', mostFrequentFirst(faults)),
  ]
    .concat(`fingerprint ${fingerprint}`)
    .join('\n\n');

/** The broken invariants with their numbers, and the first few cases with all that was delivered and called. */
export const complaint = (violations: readonly Violation[]): string =>
  [
    ...Object.entries(Object.groupBy(violations, ({ invariant }) => invariant)).map(
      ([invariant, cases = []]) => `${cases.length} times broken: ${invariant}`,
    ),
    ...violations.slice(0, SHOWN).map(describe),
  ].join('\n');

const describe = ({ invariant, found, event, deliveries }: Violation): string =>
  [`\n${invariant}: ${found}`, inspect(event, { breakLength: 120 }), ...deliveries.map(course)].join('\n');

/** One line for the delivery and one for each of its calls. */
const course = ({ startedAt, endedAt = Number.NaN, lines, calls }: Delivery): string =>
  [
    `  delivered ${new Date(startedAt).toISOString()}, ended after ${Math.round(endedAt - startedAt)} ms: ${lines.map((line) => JSON.stringify(line))}`,
    ...calls.map(({ at, request, fault = 'nothing wrong' }) => {
      const came = request.tookEffect ? 'took effect' : (request.errorCode ?? '');
      return `    +${Math.round(at - startedAt)} ms ${request.method}: ${fault} ${came}`.trimEnd();
    }),
  ].join('\n');
