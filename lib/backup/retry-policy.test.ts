import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import { deadlineOf, type FailedAttempt, pauseAfter } from './retry-policy.ts';
import type { Command, Trigger } from './trigger.ts';

const FIRST = new Date('2026-03-01T12:00:00Z');
const after = (millis: number) => new Date(FIRST.getTime() + millis);

const command = ({ notAfter, time }: { readonly notAfter?: Date; readonly time?: Date } = {}): Command => {
  const trigger: Trigger = { kind: 'event-bus', id: 'a', ...(time && { time }) };
  return { request: { backup: { instance_id: 'i', name: 'nightly' } }, trigger, ...(notAfter && { notAfter }) };
};

describe('deadlineOf', () => {
  it.each<[string, Date | undefined, Date]>([
    ['no not_after → first delivery and maximum age', undefined, after(DAY)],
    ['not_after earlier → not_after', after(HOUR), after(HOUR)],
    ['not_after later → first delivery and maximum age', after(2 * DAY), after(DAY)],
    ['not_after before the first delivery → not_after', after(-HOUR), after(-HOUR)],
  ])('%s', (_, notAfter, deadline) => {
    expect(deadlineOf(command(notAfter && { notAfter }), FIRST, DAY)).toEqual(deadline);
  });

  it.each([
    ['of an hour ago', -HOUR, DAY],
    ['of a day ago', -DAY, DAY],
    ['of two days ago', -2 * DAY + HOUR, HOUR],
    ['in the future', 5 * MINUTE, DAY],
  ])('trigger %s → at most the maximum age and a day after it', (_, triggered, deadline) => {
    expect(deadlineOf(command({ time: after(triggered) }), FIRST, DAY)).toEqual(after(deadline));
  });
});

describe('pauseAfter', () => {
  const BUSY: FailedAttempt = { retry: 'later', isAmbiguous: false };
  const pause = (failed: Partial<FailedAttempt>, failedAttempts: number, nowMillis: number, deadline = after(DAY)) =>
    pauseAfter({ ...BUSY, ...failed }, failedAttempts, { firstDelivery: FIRST, deadline, now: after(nowMillis) });

  it.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 15],
    [5, 15],
    [10_000, 15],
  ])('after %i failed attempts → %i minutes', (failedAttempts, minutes) => {
    expect(pause({}, failedAttempts, HOUR)).toBe(minutes * MINUTE);
  });

  it.each([
    ['longer than the pause → that', 3 * MINUTE, 3 * MINUTE],
    ['shorter than the pause → the pause', 30 * SECOND, MINUTE],
    ['longer than 15 minutes → 15 minutes', HOUR, 15 * MINUTE],
    ['missing → the pause', undefined, MINUTE],
  ])('Retry-After %s', (_, retryAfterMillis, millis) => {
    expect(pause({ retryAfterMillis }, 0, HOUR)).toBe(millis);
  });

  it.each([
    ['10 minutes left → the last attempt begins 30 seconds before the deadline', 10 * MINUTE, 9.5 * MINUTE],
    ['a minute left → the last attempt begins 30 seconds before the deadline', MINUTE, 30 * SECOND],
    ['30 seconds left → none', 30 * SECOND, undefined],
    ['past the deadline → none', -HOUR, undefined],
  ])('%s', (_, left, millis) => {
    expect(pause({}, 6, DAY - left)).toBe(millis);
    expect(pause({}, 6, 0, after(left))).toBe(millis);
  });

  it.each([
    ['now', MINUTE],
    ['later', MINUTE],
    ['never', undefined],
  ] as const)('retried %s → %s', (retry, millis) => {
    expect(pause({ retry }, 0, 0)).toBe(millis);
  });

  it.each([
    [0, MINUTE],
    [30 * MINUTE, 15 * MINUTE],
    [50 * MINUTE, 10 * MINUTE],
    [HOUR - 1, 1],
    [HOUR, undefined],
    [2 * HOUR, undefined],
  ])('ambiguous refusal %i ms after the first delivery → retried for an hour: %s', (millis, expected) => {
    expect(pause({ isAmbiguous: true }, millis === 0 ? 0 : 6, millis)).toBe(expected);
  });

  it('any failures → the last attempt begins 30 seconds before the deadline, few enough for one durable execution', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 * 24 * 60 }),
        fc.array(fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }), { minLength: 1 }),
        (minutes, asked) => {
          const deadline = minutes * MINUTE;
          let now = 0;
          let attempts = 0;
          for (;;) {
            const retryAfterMillis = asked[attempts % asked.length];
            const millis = pause({ retryAfterMillis }, attempts, now, after(deadline));
            if (millis === undefined) break;
            now += millis;
            attempts += 1;
          }
          expect(deadline - now).toBe(30 * SECOND);
          // An execution has at most 3000 operations. Each attempt is two: a pause and a step.
          expect(2 * attempts).toBeLessThan(2900);
        },
      ),
    );
  });
});
