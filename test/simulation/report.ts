/** The report of a run. */
import { inspect } from 'node:util';
import type { Conditions } from './conditions.ts';
import type { Figures } from './figures.ts';
import type { Delivery } from './history.ts';
import type { Violation } from './invariants.ts';
import { mostFrequentFirst, table } from './table.ts';

const MAX_CASES = 3;

/** The command that repeats a run, or the one simulation of it that broke an invariant. */
export const replay = (options: Readonly<Record<string, number>>): string =>
  `npm run test:simulation -- ${Object.entries(options)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ')}`;

export const summary = ({ endings, faults, fingerprint, ...totals }: Figures): string =>
  [
    table('totals', Object.entries(totals)),
    table('deliveries ended as', mostFrequentFirst(endings)),
    table('injected faults', mostFrequentFirst(faults)),
  ]
    .concat(`fingerprint ${fingerprint}`)
    .join('\n\n');

/** The broken invariants with their numbers, and the first few cases with all their deliveries and calls. */
export const violationReport = (violations: readonly Violation[], conditions?: Conditions): string =>
  [
    ...(conditions
      ? [inspect({ ...conditions, projects: conditions.projects.length, instances: conditions.instances.length })]
      : []),
    ...Object.entries(Object.groupBy(violations, ({ invariant }) => invariant)).map(
      ([invariant, cases = []]) => `broken ${cases.length} times: ${invariant}`,
    ),
    ...violations.slice(0, MAX_CASES).map(describe),
  ].join('\n');

const describe = ({ invariant, found, event, deliveries }: Violation): string =>
  [`\n${invariant}: ${found}`, inspect(event, { breakLength: 120 }), ...deliveries.map(describeDelivery)].join('\n');

/** One line for the delivery and one for each of its calls. */
const describeDelivery = ({ startedAt, endedAt = Number.NaN, lines, calls }: Delivery): string =>
  [
    `  delivered ${new Date(startedAt).toISOString()}, ended after ${Math.round(endedAt - startedAt)} ms: ${lines.map((line) => JSON.stringify(line))}`,
    ...calls.map(({ at, request, row, answeredAt }) => {
      const effect = request.tookEffect ? 'took effect' : (request.errorCode ?? '');
      const delay = answeredAt === undefined ? '' : `, answered after ${Math.round(answeredAt - at)} ms`;
      return `    +${Math.round(at - startedAt)} ms ${request.method}: ${row?.name ?? 'no fault'}${delay} ${effect}`.trimEnd();
    }),
  ].join('\n');
