/** The figures of a run. */
import { createHash } from 'node:crypto';
import { FAULTS } from './faults.ts';
import type { Delivery, History } from './simulation.ts';

type Counts = Record<string, number>;

export interface Figures {
  readonly simulations: number;
  readonly events: number;
  readonly deliveries: number;
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
  const totals = { simulations: 0, events: 0, deliveries: 0, posts: 0, effects: 0, lists: 0 };
  const endings: Counts = {};
  const faults: Counts = Object.fromEntries(FAULTS.map(({ name }) => [name, 0]));
  const trace = createHash('sha256');

  return {
    add: ({ events, deliveries }: History): void => {
      totals.simulations += 1;
      totals.events += events.length;
      totals.deliveries += deliveries.length;
      for (const delivery of deliveries) {
        trace.update(JSON.stringify(traceOf(delivery)));
        const ending = String(delivery.lines[0]?.reason ?? delivery.lines[0]?.event);
        endings[ending] = (endings[ending] ?? 0) + 1;
        for (const { request, row } of delivery.calls) {
          totals[request.operation === 'create-backup' ? 'posts' : 'lists'] += 1;
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
  calls: calls.map(({ at, request, row }) => [at, request.method, row?.name, request.errorCode, request.tookEffect]),
});
