import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactTime, isoSeconds, isPlausible, parseRfc3339, systemTiming } from './time.ts';

describe('parseRfc3339', () => {
  it.each<[text: unknown, iso: string | undefined]>([
    ['2026-01-31T23:59:59Z', '2026-01-31T23:59:59.000Z'],
    ['2026-01-31t23:59:59z', '2026-01-31T23:59:59.000Z'],
    ['2026-01-31T23:59:59.5Z', '2026-01-31T23:59:59.500Z'],
    ['2026-01-31T23:59:59.123456789Z', '2026-01-31T23:59:59.123Z'],
    ['2026-02-01T01:59:59+02:00', '2026-01-31T23:59:59.000Z'],
    ['2026-01-31T18:29:59-05:30', '2026-01-31T23:59:59.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],

    ['1969-12-31T23:59:59Z', undefined],
    ['1970-01-01T00:00:00+00:01', undefined],
    ['9999-12-31T23:59:59-00:01', undefined],
    ['2026-02-30T00:00:00Z', undefined],
    ['2025-02-29T00:00:00Z', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['2026-01-31T24:00:00Z', undefined],
    ['2026-01-31T23:60:00Z', undefined],
    ['2026-01-31T23:59:60Z', undefined],
    ['2026-01-31T23:59:59+24:00', undefined],
    ['2026-01-31T23:59:59', undefined],
    ['2026-01-31 23:59:59Z', undefined],
    ['2026-01-31T23:59Z', undefined],
    ['2026-01-31T23:59:59.Z', undefined],
    ['2026-01-31T23:59:59+0200', undefined],
    ['2026-01-31', undefined],
    [' 2026-01-31T23:59:59Z', undefined],
    ['yesterday', undefined],
    ['', undefined],
    [1772366400000, undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%j → %s', (text, iso) => {
    expect(parseRfc3339(text)?.toISOString()).toBe(iso);
  });
});

describe('the formats', () => {
  it.each([
    ['1970-01-01T00:00:00.000Z', '19700101T000000Z', '1970-01-01T00:00:00Z'],
    ['2026-01-31T23:59:59.999Z', '20260131T235959Z', '2026-01-31T23:59:59Z'],
  ])('%s → %s and %s', (iso, compact, seconds) => {
    const time = new Date(iso);
    expect(compactTime(time)).toBe(compact);
    expect(isoSeconds(time.getTime())).toBe(seconds);
  });

  it('any time → read back, cut to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (millis) => {
        expect(parseRfc3339(isoSeconds(millis))?.getTime()).toBe(millis - (millis % 1000));
      }),
    );
  });
});

describe('isPlausible', () => {
  it.each<[number, boolean]>([
    [0, true],
    [Date.UTC(9999, 11, 31), true],
    [-1, false],
    [Date.UTC(10_000, 0), false],
    [Number.NaN, false],
  ])('%d → %s', (millis, expected) => {
    expect(isPlausible(new Date(millis))).toBe(expected);
  });
});

it('systemTiming: clock, waiting and randomness of the platform', async () => {
  const before = Date.now();
  await systemTiming.wait(0);
  expect(systemTiming.now().getTime()).toBeGreaterThanOrEqual(before);
  const draw = systemTiming.random();
  expect(draw).toBeGreaterThanOrEqual(0);
  expect(draw).toBeLessThan(1);
});
