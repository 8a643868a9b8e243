import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import { clockEstimate, formatDdsTime, MAX_SKEW, parseDdsTime } from './time.ts';

describe('parseDdsTime', () => {
  const TIME = Date.UTC(2018, 7, 6, 10, 41, 14);

  it.each<[text: unknown, millis: number | undefined]>([
    ['2018-08-06 10:41:14', TIME],
    ['2018-08-06T10:41:14', TIME],
    ['2018-08-06T10:41:14Z', TIME],
    ['2018-08-06 10:41:14Z', TIME],
    ['2018-08-06T10:41:14+0000', TIME],
    ['2018-08-06T10:41:14+00:00', TIME],
    ['2018-08-06T12:41:14+0200', TIME],
    ['2018-08-06T12:41:14+02:00', TIME],
    ['2018-08-06T09:11:14-01:30', TIME],
    ['2018-08-06T10:41:14.5', TIME],
    ['2018-08-06T10:41:14.999999Z', TIME],
    ['1970-01-02 00:00:00', DAY],
    ['2024-02-29 00:00:00', Date.UTC(2024, 1, 29)],

    ['1969-12-31 23:59:59', undefined],
    ['1970-01-01T00:00:00', undefined],
    ['1970-01-01 08:00:00', undefined],
    ['2023-02-29 00:00:00', undefined],
    ['2018-02-30 10:41:14', undefined],
    ['2018-13-01 00:00:00', undefined],
    ['2018-08-06 24:00:00', undefined],
    ['2018-08-06 24:00:01', undefined],
    ['2018-08-06 10:60:00', undefined],
    ['2018-08-06T10:41:14+99:00', undefined],
    ['2018-08-06', undefined],
    ['2018-08-06 10:41', undefined],
    ['at 2018-08-06 10:41:14', undefined],
    ['2018-08-06 10:41:14 UTC', undefined],
    ['2018-08-06 10:41:14.', undefined],
    ['Mon, 06 Aug 2018 10:41:14 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    [null, undefined],
    [1533552074, undefined],
    [['2018-08-06 10:41:14'], undefined],
  ])('%j → %s', (text, millis) => {
    expect(parseDdsTime(text)).toBe(millis);
  });
});

describe('formatDdsTime', () => {
  it.each([
    [0, '1970-01-01 00:00:00'],
    [Date.UTC(2026, 2, 1, 2, 3, 4), '2026-03-01 02:03:04'],
    [Date.UTC(2026, 2, 1, 2, 3, 4, 999), '2026-03-01 02:03:04'],
  ])('%i → %s', (millis, text) => {
    expect(formatDdsTime(millis)).toBe(text);
  });

  it('any time from 1970 to 9999 → read back, cut to the second', () => {
    const time = fc.integer({ min: DAY, max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(time, (millis) => {
        expect(parseDdsTime(formatDdsTime(millis))).toBe(millis - (millis % SECOND));
      }),
    );
  });
});

describe('clockEstimate', () => {
  const NOON = Date.parse('2026-03-01T12:00:00Z');
  /** The `Date` header of an answer that was made at a moment by DDS's clock. */
  const dateAt = (millis: number): string => new Date(millis).toUTCString();

  const estimateOf = (...observations: readonly [date: string | undefined, sentAt: number, receivedAt: number][]) => {
    const clock = clockEstimate();
    for (const observation of observations) clock.observe(...observation);
    return clock.offset();
  };

  it('any skew, round trips and moments of the answers → the bounds hold the true offset', () => {
    const exchange = fc.record({
      pause: fc.integer({ min: 0, max: 10 * MINUTE }),
      there: fc.integer({ min: 0, max: 10 * SECOND }),
      back: fc.integer({ min: 0, max: 10 * SECOND }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: -15 * MINUTE, max: 15 * MINUTE }),
        fc.array(exchange, { minLength: 1, maxLength: 10 }),
        (skew, exchanges) => {
          const clock = clockEstimate();
          let now = NOON;
          let shortest = Number.POSITIVE_INFINITY;
          for (const { pause, there, back } of exchanges) {
            const sentAt = now + pause;
            const madeAt = sentAt + there;
            now = madeAt + back;
            shortest = Math.min(shortest, now - sentAt);
            clock.observe(dateAt(madeAt + skew), sentAt, now);
            const { atLeast, atMost } = clock.offset();
            expect(atLeast).toBeLessThanOrEqual(skew);
            expect(atMost).toBeGreaterThanOrEqual(skew);
            expect(atMost - atLeast).toBeGreaterThanOrEqual(shortest + SECOND);
          }
        },
      ),
    );
  });

  it('one answer → from Date − received to Date + 1 s − sent', () => {
    expect(estimateOf([dateAt(NOON + 7000), NOON, NOON + 300])).toEqual({ atLeast: 6700, atMost: 8000 });
  });

  it('several answers → the shortest round trip', () => {
    const short: [string, number, number] = [dateAt(NOON), NOON, NOON + 10];
    const long: [string, number, number] = [dateAt(NOON + 1000), NOON + 1000, NOON + 3000];
    expect(estimateOf(short, long)).toEqual(estimateOf(short));
    expect(estimateOf(long, short)).toEqual(estimateOf(short));
  });

  it('round trips of the same length → the newer answer', () => {
    const newer: [string, number, number] = [dateAt(NOON + 61_000), NOON + 60_000, NOON + 60_010];
    expect(estimateOf([dateAt(NOON), NOON, NOON + 10], newer)).toEqual(estimateOf(newer));
  });

  it.each([
    [5 * MINUTE - 1, 'kept'],
    [5 * MINUTE, 'replaced'],
  ])('estimate of an age of %i ms, longer round trip → %s', (age, what) => {
    const old: [string, number, number] = [dateAt(NOON), NOON, NOON + 10];
    const received = NOON + 10 + age;
    const newer: [string, number, number] = [dateAt(received), received - 2000, received];
    expect(estimateOf(old, newer)).toEqual(estimateOf(what === 'kept' ? old : newer));
  });

  it.each<[string, string | undefined, number]>([
    ['negative round trip: our clock was set back', dateAt(NOON), -1],
    ['no Date', undefined, 10],
    ['Date that is not a time', 'soon', 10],
    ['Date that no clock can show, ahead', dateAt(NOON + 16 * MINUTE), 10],
    ['Date that no clock can show, behind', dateAt(NOON - 2 * HOUR), 10],
  ])('%s → ignored', (_, date, roundTrip) => {
    const before: [string, number, number] = [dateAt(NOON), NOON, NOON + 1000];
    expect(estimateOf([date, NOON, NOON + roundTrip])).toBe(MAX_SKEW);
    expect(estimateOf(before, [date, NOON + 2000, NOON + 2000 + roundTrip])).toEqual(estimateOf(before));
  });

  it('no answer yet → as far as the gateway lets a clock be off', () => {
    expect(estimateOf()).toBe(MAX_SKEW);
    expect(MAX_SKEW).toEqual({ atLeast: -15 * MINUTE, atMost: 15 * MINUTE });
  });
});
