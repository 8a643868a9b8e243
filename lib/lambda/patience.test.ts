import { describe, expect, it } from 'vitest';
import { FAILURE_NAMES } from '../failure.ts';
import { isCrash, isPermanent, pauseSeconds, readPatience } from './patience.ts';

describe('the pauses', () => {
  it('grow from a minute to a quarter of an hour, and stay there', () => {
    const minutes = Array.from({ length: 7 }, (_, failed) => pauseSeconds(failed) / 60);
    expect(minutes).toEqual([1, 2, 4, 8, 15, 15, 15]);
    expect(pauseSeconds(10_000)).toBe(15 * 60);
  });

  it('fit three thousand operations, the most of an execution, into a week', () => {
    expect((7 * 24 * 60 * 60) / pauseSeconds(10_000)).toBeLessThan(3000);
  });
});

describe('a failure', () => {
  it('is permanent or is tried again, whatever its name', () => {
    expect(FAILURE_NAMES.filter(isPermanent)).toEqual([
      'InvalidRequest',
      'ConfigurationError',
      'BackupNameTaken',
      'DdsRejected',
    ]);
  });

  it.each(['Runtime.ExitError', 'Runtime.OutOfMemory', 'Sandbox.Timedout', 'TypeError', ''])(
    'that is called %j is a crash, and not permanent',
    (name) => {
      expect(isCrash(name)).toBe(true);
      expect(isPermanent(name)).toBe(false);
    },
  );

  it('of our own is no crash', () => {
    expect(FAILURE_NAMES.filter(isCrash)).toEqual([]);
  });
});

describe('patience', () => {
  it.each([
    [undefined, 86_400_000],
    ['', 86_400_000],
    ['60', 60_000],
  ])('of %j is %i ms', (DEFERRED_PATIENCE_SECONDS, millis) => {
    expect(readPatience({ DEFERRED_PATIENCE_SECONDS })).toBe(millis);
  });

  it.each(['0', '-60', '1.5', 'a day', 'Infinity'])('of %j is a ConfigurationError', (DEFERRED_PATIENCE_SECONDS) => {
    expect(() => readPatience({ DEFERRED_PATIENCE_SECONDS })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringContaining('DEFERRED_PATIENCE') }),
    );
  });
});
