import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListedBackup } from '../dds/inventory.ts';
import { isWithin, type Milestone, milestones, windowOf } from './milestones.ts';

const HOUR = 3_600_000;
const LIMIT = 12 * HOUR;
const BEGIN = Date.parse('2026-03-01T00:00:00Z');

const ddsTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

const backup = (status: string, end_time?: unknown): ListedBackup => ({
  id: 'b',
  name: 'nightly',
  instance_id: 'i',
  begin_time: ddsTime(BEGIN),
  end_time,
  status,
});

const after = (millis: number) => ddsTime(BEGIN + millis);

describe('what happens to a backup', () => {
  it.each([
    ['COMPLETED', 'completed'],
    ['FAILED', 'failed'],
    ['DISABLED', 'unknown'],
    ['ANY OTHER', 'unknown'],
  ])('of status %s is that it %s when it ended', (status, kind) => {
    expect(milestones(backup(status, after(HOUR)), LIMIT)).toEqual([{ kind, at: BEGIN + HOUR }]);
  });

  it('that is still building is that it will be stuck, whatever it says of its end', () => {
    for (const end of [undefined, '', after(HOUR)])
      expect(milestones(backup('BUILDING', end), LIMIT)).toEqual([{ kind: 'stuck', at: BEGIN + LIMIT }]);
  });

  it('that took longer than the limit is both', () => {
    const late = BEGIN + LIMIT + 1000;
    expect(milestones(backup('COMPLETED', ddsTime(late)), LIMIT)).toEqual([
      { kind: 'stuck', at: BEGIN + LIMIT },
      { kind: 'completed', at: late },
    ]);
  });

  it('that took exactly as long as the limit is its end alone', () => {
    expect(milestones(backup('FAILED', after(LIMIT)), LIMIT)).toEqual([{ kind: 'failed', at: BEGIN + LIMIT }]);
  });

  it('that failed in the second in which it began is told then', () => {
    expect(milestones(backup('FAILED', after(0)), LIMIT)).toEqual([{ kind: 'failed', at: BEGIN }]);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['null', null],
    ['before its begin', '1970-01-01 00:00:00'],
    ['unreadable', 'soon'],
  ])('that failed, its end being %s, is told when it would have been stuck', (_, end) => {
    expect(milestones(backup('FAILED', end), LIMIT)).toEqual([{ kind: 'failed', at: BEGIN + LIMIT }]);
  });
});

describe('the window of a run', () => {
  const run = (time: string) => windowOf(new Date(time));
  const at = (time: string): Milestone => ({ kind: 'completed', at: Date.parse(time) });

  it('begins after ten minutes before the run and ends with five minutes before it', () => {
    const window = run('2026-03-01T12:10:00Z');
    expect(isWithin(window, at('2026-03-01T12:00:00Z'))).toBe(false);
    expect(isWithin(window, at('2026-03-01T12:00:01Z'))).toBe(true);
    expect(isWithin(window, at('2026-03-01T12:05:00Z'))).toBe(true);
    expect(isWithin(window, at('2026-03-01T12:05:01Z'))).toBe(false);
  });
});

describe('through consecutive runs', () => {
  const MINUTES = 5 * 60_000;
  const RUNS = 24;
  /** Whatever second the schedule was made at. */
  const first = fc.integer({ min: 0, max: 599_999 }).map((millis) => BEGIN + millis);
  const limit = fc.constantFrom(60_000, 17 * 60_000, HOUR);
  /** In seconds after BEGIN, some before the first window and some after the last. */
  const second = fc.integer({ min: -1800, max: 8000 });

  const arbitrary = fc
    .record({
      status: fc.constantFrom('BUILDING', 'COMPLETED', 'FAILED', 'DISABLED'),
      begin: second,
      seconds: fc.option(fc.integer({ min: 0, max: 7200 }), { nil: undefined }),
    })
    .map(
      ({ status, begin, seconds }): ListedBackup => ({
        ...backup(status, seconds === undefined ? '' : ddsTime(BEGIN + (begin + seconds) * 1000)),
        begin_time: ddsTime(BEGIN + begin * 1000),
      }),
    );

  const seen = (of: ListedBackup, from: number, stuckAfter: number): Milestone[] =>
    Array.from({ length: RUNS }, (_, run) => windowOf(new Date(from + run * MINUTES))).flatMap((window) =>
      milestones(of, stuckAfter).filter((milestone) => isWithin(window, milestone)),
    );

  it('everything that happens between the first window and the last is seen exactly once', () => {
    fc.assert(
      fc.property(arbitrary, first, limit, (one, from, stuckAfter) => {
        const [begin, end] = [windowOf(new Date(from)).after, windowOf(new Date(from + (RUNS - 1) * MINUTES)).until];
        const happened = milestones(one, stuckAfter).filter(({ at }) => at > begin && at <= end);
        expect(seen(one, from, stuckAfter)).toEqual(happened);
      }),
    );
  });

  it('a backup ends at most once and is stuck at most once, and never stuck after its end', () => {
    fc.assert(
      fc.property(arbitrary, first, limit, (one, from, stuckAfter) => {
        const kinds = seen(one, from, stuckAfter).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === 'stuck').length).toBeLessThanOrEqual(1);
        expect(kinds.filter((kind) => kind !== 'stuck').length).toBeLessThanOrEqual(1);
        expect(kinds.indexOf('stuck')).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('what was seen of a backup that was building is seen again once it has ended later', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7200 }), first, limit, (seconds, from, stuckAfter) => {
        const before = seen(backup('BUILDING'), from, stuckAfter);
        const ended = backup('COMPLETED', ddsTime(BEGIN + stuckAfter + seconds * 1000));
        expect(seen(ended, from, stuckAfter)).toEqual(expect.arrayContaining(before));
      }),
    );
  });
});
