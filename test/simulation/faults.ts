/** The faults that are injected into calls at DDS. A further one is one more row of `FAULTS`. */
import type { Fault } from '../../emulator/dds/faults.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import type { RecordedRequest } from '../../emulator/dds/request-log.ts';
import type { Chance } from './chance.ts';

export interface FaultRow {
  /** What the figures call it. */
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /**
   * What the caller learns of the effect of the call. `refused`: that it had none. `lost`: nothing. `late`: nothing if it
   * has given up by then. `misled`: that it had none, which is wrong.
   */
  readonly outcome: 'refused' | 'lost' | 'late' | 'misled';
  /** Only requests of this operation. */
  readonly operation?: RecordedRequest['operation'];
  readonly make: (draw: Chance) => Fault;
}

/** Seconds. */
export const MAX_RETRY_AFTER_SECONDS = 20;
/** An attempt is given up after ten seconds, and an invocation ends after 29 or 60. */
const LATE_MILLIS = { from: 9_000, to: 70_000 };

type When = 'before' | 'after';

const error =
  (name: keyof typeof refusals, when: When = 'before') =>
  (draw: Chance): Fault => ({
    kind: 'error',
    ...refusals[name],
    when,
    ...(draw.happens(0.3) && { headers: { 'retry-after': String(draw.whole(0, MAX_RETRY_AFTER_SECONDS)) } }),
  });

const late =
  (when: When) =>
  (draw: Chance): Fault => ({ kind: 'delay', when, millis: draw.between(LATE_MILLIS.from, LATE_MILLIS.to) });

const html =
  (when: When) =>
  (draw: Chance): Fault => ({ kind: 'html', status: draw.pick([200, 502, 503]), when });

const eitherWay = (draw: Chance): When => draw.pick(['before', 'after']);

/** JSON that the reference does not promise. */
const UNDOCUMENTED: readonly unknown[] = [
  ...[null, [], {}, 7],
  ...[{ job_id: 1 }, { backup_id: 'x' }, { backups: {} }, { total_count: 0 }, { backups: [null] }],
];

const LOST: readonly Omit<FaultRow, 'outcome'>[] = [
  { weight: 4, name: 'reset before the effect', make: () => ({ kind: 'reset', when: 'before' }) },
  { weight: 4, name: 'reset after the effect', make: () => ({ kind: 'reset', when: 'after' }) },
  { weight: 3, name: 'no answer, before the effect', make: () => ({ kind: 'hang', when: 'before' }) },
  { weight: 3, name: 'no answer, after the effect', make: () => ({ kind: 'hang', when: 'after' }) },
  { weight: 2, name: '500', make: error('serverError') },
  { weight: 2, name: '500 after the effect', make: error('serverError', 'after') },
  { weight: 3, name: 'truncated', make: () => ({ kind: 'truncated' }) },
  { weight: 1, name: 'stalled half-way', make: () => ({ kind: 'stall' }) },
  { weight: 1, name: 'HTML instead of JSON', make: html('before') },
  { weight: 1, name: 'HTML instead of JSON after the effect', make: html('after') },
  { weight: 1, name: 'empty', make: (draw) => ({ kind: 'empty', when: eitherWay(draw) }) },
  {
    weight: 1,
    name: 'undocumented JSON',
    make: (draw) => ({
      kind: 'json',
      status: draw.pick([200, 202]),
      body: draw.pick(UNDOCUMENTED),
      when: eitherWay(draw),
    }),
  },
  {
    weight: 1,
    name: 'redirect',
    make: (draw) => ({ kind: 'redirect', location: 'https://dds.example.com/', when: eitherWay(draw) }),
  },
  { weight: 0.05, name: 'endless', make: (draw) => ({ kind: 'endless', when: eitherWay(draw) }) },
];

const REFUSED: readonly Omit<FaultRow, 'outcome'>[] = [
  { weight: 2, name: '429 of DDS', make: error('tooManyCalls') },
  { weight: 1, name: '429 of the gateway', make: error('throttled') },
  { weight: 2, name: '400 system busy', make: error('systemBusy') },
  { weight: 2, name: '403 busy instance', operation: 'create-backup', make: error('instanceBusy') },
  { weight: 1, name: '403 invalid request, ambiguous', operation: 'create-backup', make: error('invalidRequest') },
  { weight: 1, name: '400 not permitted, ambiguous', operation: 'create-backup', make: error('notPermitted') },
];

export const FAULTS: readonly FaultRow[] = [
  ...LOST.map((row) => ({ ...row, outcome: 'lost' as const })),
  ...REFUSED.map((row) => ({ ...row, outcome: 'refused' as const })),
  { weight: 2, name: 'late effect and answer', outcome: 'late', make: late('before') },
  { weight: 2, name: 'late answer', outcome: 'late', make: late('after') },
  { weight: 1, name: '400 system busy after the effect', outcome: 'misled', make: error('systemBusy', 'after') },
];

export interface Injected {
  /** Undefined where nothing goes wrong. */
  readonly row: FaultRow | undefined;
  readonly fault: Fault | undefined;
}

/** @param faultRate how likely a fault is */
export function injectedFault({ operation }: RecordedRequest, faultRate: number, draw: Chance): Injected {
  if (draw.happens(faultRate)) {
    const rows = FAULTS.filter((row) => row.operation === undefined || row.operation === operation);
    const row = draw.weighted(rows.map((candidate) => [candidate.weight, candidate]));
    return { row, fault: row.make(draw) };
  }
  // The way to DDS and back takes time, so that deliveries meet there in any order.
  const when = eitherWay(draw);
  const fault: Fault = { kind: 'delay', millis: draw.between(1, 800), when };
  return { row: undefined, fault: draw.happens(0.7) ? fault : undefined };
}
