import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../time.ts';
import {
  type BegunBackup,
  eventsOf,
  isWithin,
  type LifecycleEvent,
  type LifecycleEventKind,
  windowOf,
} from './lifecycle.ts';

const LIMIT = 12 * HOUR;
const BEGIN = Date.parse('2026-03-01T00:00:00Z');

const backup = (status: string, endedAt?: number, more: Partial<BegunBackup> = {}): BegunBackup => ({
  id: 'b1',
  name: 'nightly',
  instance_id: 'i1',
  status,
  beganAt: BEGIN,
  ...(endedAt !== undefined && { endedAt }),
  description: '',
  verbatim: {},
  ...more,
});

const moments = (events: readonly LifecycleEvent[]) => events.map(({ kind, time }) => [kind, time.getTime()]);

describe('eventsOf', () => {
  it.each<[string, LifecycleEventKind]>([
    ['COMPLETED', 'completed'],
    ['FAILED', 'failed'],
    ['DISABLED', 'unknown'],
    ['UNKNOWN', 'unknown'],
    ['ANY OTHER', 'unknown'],
  ])('status %s → %s at its end', (status, kind) => {
    expect(moments(eventsOf(backup(status, BEGIN + HOUR), LIMIT))).toEqual([[kind, BEGIN + HOUR]]);
  });

  it.each([undefined, BEGIN + HOUR])('BUILDING, end %s → stuck after the limit', (endedAt) => {
    expect(moments(eventsOf(backup('BUILDING', endedAt), LIMIT))).toEqual([['stuck', BEGIN + LIMIT]]);
  });

  it('ended after the limit → stuck and then its end', () => {
    const late = BEGIN + LIMIT + SECOND;
    expect(moments(eventsOf(backup('COMPLETED', late), LIMIT))).toEqual([
      ['stuck', BEGIN + LIMIT],
      ['completed', late],
    ]);
  });

  it('ended at the limit → its end alone', () => {
    expect(moments(eventsOf(backup('FAILED', BEGIN + LIMIT), LIMIT))).toEqual([['failed', BEGIN + LIMIT]]);
  });

  it('FAILED in the second in which it began → then', () => {
    expect(moments(eventsOf(backup('FAILED', BEGIN), LIMIT))).toEqual([['failed', BEGIN]]);
  });

  it.each([
    ['missing', undefined],
    ['before its begin', 0],
  ])('FAILED, its end %s → when it would have been stuck', (_, endedAt) => {
    expect(moments(eventsOf(backup('FAILED', endedAt), LIMIT))).toEqual([['failed', BEGIN + LIMIT]]);
  });
});

describe('the detail of an event', () => {
  const WHOLE: Partial<BegunBackup> = { instance_name: 'orders', type: 'Auto', sizeKb: 2803 };
  const BARE = { backup_id: 'b1', name: 'nightly', instance_id: 'i1', began_at: '2026-03-01T00:00:00Z' };
  const detailOf = (one: BegunBackup, index = 0) => eventsOf(one, LIMIT)[index]?.detail;

  it('completed → with end, duration and size', () => {
    expect(detailOf(backup('COMPLETED', BEGIN + HOUR, WHOLE))).toStrictEqual({
      ...BARE,
      id: 'b1-completed',
      instance_name: 'orders',
      type: 'Auto',
      ended_at: '2026-03-01T01:00:00Z',
      duration_seconds: 3600,
      size_kb: 2803,
    });
  });

  it.each([
    ['FAILED', 'b1-failed'],
    ['DISABLED', 'b1-unknown'],
  ])('%s → without size', (status, id) => {
    expect(detailOf(backup(status, BEGIN + HOUR, WHOLE))).toStrictEqual({
      ...BARE,
      id,
      instance_name: 'orders',
      type: 'Auto',
      ended_at: '2026-03-01T01:00:00Z',
      duration_seconds: 3600,
    });
  });

  it.each([
    ['BUILDING', undefined],
    ['COMPLETED', BEGIN + LIMIT + HOUR],
  ])('stuck, now %s → the same in every run: nothing of its end', (status, endedAt) => {
    expect(detailOf(backup(status, endedAt, WHOLE))).toStrictEqual({
      ...BARE,
      id: 'b1-stuck',
      instance_name: 'orders',
      type: 'Auto',
      limit_hours: 12,
    });
  });

  it.each([
    ['COMPLETED', 'b1-completed'],
    ['FAILED', 'b1-failed'],
    ['DISABLED', 'b1-unknown'],
  ])('%s, DDS gives no more than a record must have → no more', (status, id) => {
    expect(detailOf(backup(status))).toStrictEqual({ ...BARE, id });
  });
});

describe('windowOf', () => {
  const NOON = Date.parse('2026-03-01T12:00:00Z');
  const at = (millis: number): LifecycleEvent => {
    const [event] = eventsOf(backup('COMPLETED', millis), 24 * HOUR);
    if (!event) throw new Error('no event');
    return event;
  };

  it.each([
    [-10 * MINUTE - 11 * SECOND, false],
    [-10 * MINUTE - 10 * SECOND, false],
    [-10 * MINUTE - 9 * SECOND, true],
    [-10 * MINUTE, true],
    [-5 * MINUTE, true],
    [-5 * MINUTE + SECOND, false],
    [0, false],
  ])('event %i ms from the time of the run → within: %s', (millis, isIn) => {
    expect(isWithin(windowOf(new Date(NOON)), at(NOON + millis))).toBe(isIn);
  });

  it('DDS ahead by one to three minutes → the window moves by two', () => {
    const { after, until } = windowOf(new Date(NOON));
    expect(windowOf(new Date(NOON), { atLeast: MINUTE, atMost: 3 * MINUTE })).toEqual({
      after: after + 2 * MINUTE,
      until: until + 2 * MINUTE,
    });
  });
});

describe('consecutive runs', () => {
  const RUNS = 24;
  /** Whatever millisecond the schedule was made at. */
  const first = fc.integer({ min: 0, max: 599_999 }).map((millis) => BEGIN + millis);
  const limit = fc.constantFrom(MINUTE, 17 * MINUTE, HOUR);
  /** After BEGIN, some before the first window and some after the last. */
  const second = fc.integer({ min: -1800, max: 8000 });
  /** By how far the estimates of DDS's clock of two runs differ from the truth, at most half of the overlap. */
  const errors = fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: RUNS, maxLength: RUNS });

  const arbitrary = fc
    .record({
      status: fc.constantFrom('BUILDING', 'COMPLETED', 'FAILED', 'DISABLED'),
      begin: second,
      seconds: fc.option(fc.integer({ min: 0, max: 7200 }), { nil: undefined }),
    })
    .map(({ status, begin, seconds }) => {
      const beganAt = BEGIN + begin * SECOND;
      return backup(status, seconds === undefined ? undefined : beganAt + seconds * SECOND, { beganAt });
    });

  const windows = (from: number, off: readonly number[] = []) =>
    Array.from({ length: RUNS }, (_, run) => {
      const offset = off[run] ?? 0;
      return windowOf(new Date(from + run * 5 * MINUTE), { atLeast: offset - 100, atMost: offset + 100 });
    });

  const seen = (
    one: BegunBackup,
    from: number,
    stuckAfter: number,
    off?: readonly number[],
  ): readonly LifecycleEvent[] =>
    windows(from, off).flatMap((window) => eventsOf(one, stuckAfter).filter((event) => isWithin(window, event)));

  it('estimates of the clock that differ by up to the overlap → every event is seen, repeats under the same id', () => {
    fc.assert(
      fc.property(arbitrary, first, limit, errors, (one, from, stuckAfter, off) => {
        const all = windows(from, off);
        const [begin, end] = [all[0]?.after ?? 0, all.at(-1)?.until ?? 0];
        const expected = eventsOf(one, stuckAfter).filter(
          ({ time }) => time.getTime() > begin && time.getTime() <= end,
        );
        const found = new Map(seen(one, from, stuckAfter, off).map((event) => [event.detail.id, event]));
        expect([...found.values()]).toEqual(expect.arrayContaining(expected));
      }),
    );
  });

  it('any backup → ends at most once, is stuck at most once, never stuck after its end', () => {
    fc.assert(
      fc.property(arbitrary, first, limit, (one, from, stuckAfter) => {
        const kinds = [...new Set(seen(one, from, stuckAfter).map(({ detail }) => detail.id.slice('b1-'.length)))];
        expect(kinds.filter((kind) => kind !== 'stuck').length).toBeLessThanOrEqual(1);
        expect(kinds.indexOf('stuck')).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('backup that was stuck and ended later → its event of being stuck is the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7200 }), first, limit, (seconds, from, stuckAfter) => {
        const before = seen(backup('BUILDING'), from, stuckAfter);
        const ended = backup('COMPLETED', BEGIN + stuckAfter + seconds * SECOND);
        expect(seen(ended, from, stuckAfter)).toEqual(expect.arrayContaining([...before]));
      }),
    );
  });
});
