/** What happened, counted. */
import { createHash } from 'node:crypto';
import { KINDS } from './weather.ts';
import type { Delivery, History } from './world.ts';

type Counts = Record<string, number>;

export interface Figures {
  readonly worlds: number;
  readonly events: number;
  readonly deliveries: number;
  /** Requests to create a backup, and those among them that did. */
  readonly posts: number;
  readonly effects: number;
  /** Requests to list backups. */
  readonly lists: number;
  /** How the deliveries ended, by the log's event or the error's name. */
  readonly endings: Readonly<Counts>;
  readonly faults: Readonly<Counts>;
  /** The same for two runs in which the same happened at the same time. */
  readonly fingerprint: string;
}

/** Counts history after history: none of them need be kept. */
export function counter() {
  const totals = { worlds: 0, events: 0, deliveries: 0, posts: 0, effects: 0, lists: 0 };
  const endings: Counts = {};
  const faults: Counts = Object.fromEntries(KINDS.map(([, name]) => [name, 0]));
  const trace = createHash('sha256');

  return {
    add: ({ events, deliveries }: History): void => {
      totals.worlds += 1;
      totals.events += events.length;
      totals.deliveries += deliveries.length;
      for (const delivery of deliveries) {
        trace.update(JSON.stringify(whatHappened(delivery)));
        const ending = String(delivery.lines[0]?.error ?? delivery.lines[0]?.event);
        endings[ending] = (endings[ending] ?? 0) + 1;
        for (const { request, fault } of delivery.calls) {
          totals[request.operation === 'create-backup' ? 'posts' : 'lists'] += 1;
          if (request.tookEffect) totals.effects += 1;
          if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1;
        }
      }
    },
    figures: (): Figures => ({ ...totals, endings, faults, fingerprint: trace.copy().digest('hex').slice(0, 16) }),
  };
}

/** All of a delivery that does not depend on this machine: neither its port nor how long it took in real time. */
export const whatHappened = ({ event, startedAt, endedAt, answer, calls }: Delivery) => ({
  event: event.number,
  startedAt,
  endedAt,
  status: answer?.kind === 'answered' ? answer.status : answer?.kind,
  error: answer?.kind === 'thrown' && answer.error instanceof Error ? answer.error.name : undefined,
  body: answer?.kind === 'answered' ? String(answer.body.backup_id ?? answer.body.error_code) : undefined,
  calls: calls.map(({ at, request, fault }) => [at, request.method, fault, request.errorCode, request.tookEffect]),
});
