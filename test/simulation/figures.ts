/** The figures of a run. */
import { createHash } from 'node:crypto';
import { ROWS } from './faults.ts';
import type { Delivery, History } from './history.ts';

type Counts = Record<string, number>;

export interface Figures {
  readonly simulations: number;
  readonly events: number;
  readonly deliveries: number;
  /** Of them, to functions of FunctionGraph, and in simulations with two projects. */
  readonly onFunctionGraph: number;
  readonly withTwoProjects: number;
  /** Of `deferred`. */
  readonly executions: number;
  /** Requests to create a backup, and those among them that did. */
  readonly posts: number;
  readonly effects: number;
  /** Requests to list backups. */
  readonly lists: number;
  /** How the deliveries ended: the reason, or else the event of the log. */
  readonly endings: Readonly<Counts>;
  readonly faults: Readonly<Counts>;
  /** The same for two runs with the same calls and answers at the same times. */
  readonly fingerprint: string;
}

/** Counts history after history, and keeps none. */
export function counter() {
  const totals = {
    ...{ simulations: 0, events: 0, deliveries: 0, onFunctionGraph: 0, withTwoProjects: 0 },
    ...{ executions: 0, posts: 0, effects: 0, lists: 0 },
  };
  const endings: Counts = {};
  const faults: Counts = Object.fromEntries(ROWS.map(({ name }) => [name, 0]));
  const trace = createHash('sha256');

  return {
    add: ({ conditions, events, deliveries }: History): void => {
      totals.simulations += 1;
      totals.events += events.length;
      const delivered = deliveries.filter(({ before }) => before === undefined).length;
      totals.deliveries += delivered;
      if (conditions.platform === 'functiongraph') totals.onFunctionGraph += delivered;
      if (conditions.projects.length > 1) totals.withTwoProjects += delivered;
      totals.executions += deliveries.filter(({ before }) => before !== undefined).length;
      for (const delivery of deliveries) {
        trace.update(JSON.stringify(traceOf(delivery)));
        const line = delivery.lines.findLast(({ event }) => String(event).startsWith('request.'));
        const ending = `${delivery.before ? 'deferred: ' : ''}${line?.event === 'request.deferred' ? line.event : (line?.reason ?? line?.event)}`;
        endings[ending] = (endings[ending] ?? 0) + 1;
        for (const { request, row } of delivery.calls) {
          if (request.operation === 'create-backup') totals.posts += 1;
          if (request.operation === 'list-backups') totals.lists += 1;
          if (request.tookEffect) totals.effects += 1;
          if (row) faults[row.name] = (faults[row.name] ?? 0) + 1;
        }
      }
    },
    figures: (): Figures => ({ ...totals, endings, faults, fingerprint: trace.copy().digest('hex').slice(0, 16) }),
  };
}

/** All of a delivery that does not depend on this machine: neither its port nor how long it took in real time. */
const traceOf = ({ event, startedAt, endedAt, lines, calls }: Delivery) => ({
  event: event.number,
  startedAt,
  endedAt,
  ending: lines.map((line) => [line.event, line.reason, line.backup_id]),
  // A search asks all projects at once, in any order.
  calls: calls
    .filter(({ request }) => request.operation !== 'list-instances')
    .map(({ at, request, row }) => [at, request.method, row?.name, request.errorCode, request.tookEffect]),
});
