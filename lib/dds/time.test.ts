import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTime } from './time.ts';

describe('a time of DDS', () => {
  it.each([
    ['in the list of backups', '2018-08-06 10:41:14'],
    ['in the list of instances', '2018-08-06T10:41:14'],
    ['with its zone', '2018-08-06T10:41:14Z'],
    ['with its zone in digits', '2018-08-06T10:41:14+0000'],
    ['with its zone in digits and a colon', '2018-08-06T10:41:14+00:00'],
  ])('%s is UTC', (_, text) => {
    expect(readTime(text)).toBe(Date.UTC(2018, 7, 6, 10, 41, 14));
  });

  it('is read whatever second it is', () => {
    const seconds = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const text = new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ');
        expect(readTime(text)).toBe(second * 1000);
      }),
    );
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a number', 1533552074],
    ['a day', '2018-08-06'],
    ['a 30th of February', '2018-02-30 10:41:14'],
    ['a 25th hour', '2018-08-06 24:00:01'],
    ['another zone', '2018-08-06T10:41:14+0200'],
    ['a time in a text', 'at 2018-08-06 10:41:14'],
    ['a time with more behind it', '2018-08-06 10:41:14.5'],
  ])('%s is none', (_, text) => {
    expect(readTime(text)).toBeUndefined();
  });
});
