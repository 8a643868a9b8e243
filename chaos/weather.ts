/** What goes wrong with a call at DDS. */
import type { Fault, FaultEffect } from '../emulator/dds/faults.ts';
import { refusals } from '../emulator/dds/refusals.ts';
import type { RecordedRequest } from '../emulator/dds/request-log.ts';
import type { Chance } from './chance.ts';

export interface Weather {
  /** What the figures call it; undefined when nothing goes wrong. */
  readonly name?: string;
  readonly fault: Fault | undefined;
}

/** An attempt is given up after ten seconds, and an invocation ends after 29 or 60. */
const LATE = { from: 9_000, to: 70_000 };

/** Seconds. */
export const LONGEST_RETRY_AFTER = 20;

type Kind = readonly [weight: number, name: string, make: (chance: Chance) => FaultEffect];

const error =
  (name: keyof typeof refusals, when: 'before' | 'after' = 'before') =>
  (chance: Chance): FaultEffect => ({
    kind: 'error',
    ...refusals[name],
    when,
    ...(chance.happens(0.3) && { headers: { 'retry-after': String(chance.whole(0, LONGEST_RETRY_AFTER)) } }),
  });

/** What an order is refused with, and no question. */
const BUSY: readonly Kind[] = [
  [2, '403 busy instance', error('instanceBusy')],
  [1, '403 invalid request, which may mean busy', error('invalidRequest')],
  [1, '400 not permitted, which may mean busy', error('notPermitted')],
];

const ANY: readonly Kind[] = [
  [4, 'reset before the effect', () => ({ kind: 'reset', when: 'before' })],
  [4, 'reset after the effect', () => ({ kind: 'reset', when: 'after' })],
  [3, 'no answer, before the effect', () => ({ kind: 'hang', when: 'before' })],
  [3, 'no answer, after the effect', () => ({ kind: 'hang', when: 'after' })],
  [
    2,
    'late effect and answer',
    (chance) => ({ kind: 'delay', when: 'before', millis: chance.between(LATE.from, LATE.to) }),
  ],
  [2, 'late answer', (chance) => ({ kind: 'delay', when: 'after', millis: chance.between(LATE.from, LATE.to) })],
  [2, '429 of DDS', error('tooManyCalls')],
  [1, '429 of the gateway', error('throttled')],
  [2, '400 system busy', error('systemBusy')],
  [1, '400 system busy after the effect', error('systemBusy', 'after')],
  [2, '500', error('serverError')],
  [2, '500 after the effect', error('serverError', 'after')],
  [3, 'truncated', () => ({ kind: 'truncated' })],
  [1, 'stalled half-way', () => ({ kind: 'stall' })],
  [1, 'HTML instead of JSON', (chance) => html(chance, 'before')],
  [1, 'HTML instead of JSON after the effect', (chance) => html(chance, 'after')],
  [1, 'empty', (chance) => ({ kind: 'empty', when: chance.pick(['before', 'after']) })],
  [1, 'JSON that nobody promised', (chance) => json(chance)],
  [
    1,
    'redirect',
    (chance) => ({ kind: 'redirect', location: 'https://dds.example.com/', when: chance.pick(['before', 'after']) }),
  ],
  [0.05, 'without end', (chance) => ({ kind: 'endless', when: chance.pick(['before', 'after']) })],
];

const html = (chance: Chance, when: 'before' | 'after'): FaultEffect => ({
  kind: 'html',
  status: chance.pick([200, 502, 503]),
  when,
});

const json = (chance: Chance): FaultEffect => ({
  kind: 'json',
  status: chance.pick([200, 202]),
  body: chance.pick([
    null,
    [],
    {},
    { job_id: 1 },
    { backup_id: 'x' },
    { backups: {} },
    { total_count: 0 },
    { backups: [null] },
    7,
  ]),
  when: chance.pick(['before', 'after']),
});

/** All that can go wrong. */
export const KINDS: readonly Kind[] = [...ANY, ...BUSY];

/** @param roughness how likely it is that something goes wrong */
export function weather({ operation }: RecordedRequest, roughness: number, chance: Chance): Weather {
  if (chance.happens(roughness)) {
    const kinds = operation === 'create-backup' ? KINDS : ANY;
    const [, name, make] = chance.weighted(kinds.map((kind) => [kind[0], kind]));
    return { name, fault: make(chance) };
  }
  // The way to DDS and back takes time, so that deliveries meet there in any order.
  const when = chance.pick(['before', 'after'] as const);
  return { fault: chance.happens(0.7) ? { kind: 'delay', millis: chance.between(1, 800), when } : undefined };
}
