import { describe, expect, it } from 'vitest';
import { firstSkippedRun, isSchedule, isTimeZone } from './schedule.ts';

describe('isSchedule', () => {
  it.each([
    'cron(30 4 * * ? *)',
    'cron(0/15 8-18 ? * MON-FRI *)',
    'cron(0,30 */6 1,15 JAN,jul ? 2026-2030)',
    'cron(0 4 L * ? *)',
    'cron(0 4 L-3 * ? *)',
    'cron(0 4 15W * ? *)',
    'cron(0 4 ? * 6L *)',
    'cron(0 4 ? * FRI#2 *)',
    'cron( 0  4 * * ? * )',
    'rate(1 day)',
    'rate(12 hours)',
    'at(2026-11-20T13:00:00)',
  ])('%s → valid', (expression) => {
    expect(isSchedule(expression)).toBe(true);
  });

  it.each([
    ['five fields', 'cron(30 4 * * ?)'],
    ['seven fields', 'cron(0 30 4 * * ? *)'],
    ['neither day is ?', 'cron(30 4 * * * *)'],
    ['both days are ?', 'cron(30 4 ? * ? *)'],
    ['minute 60', 'cron(60 4 * * ? *)'],
    ['hour 24', 'cron(0 24 * * ? *)'],
    ['day 0', 'cron(0 4 0 * ? *)'],
    ['month 13', 'cron(0 4 1 13 ? *)'],
    ['an unknown month', 'cron(0 4 1 MAI ? *)'],
    ['weekday 0', 'cron(0 4 ? * 0 *)'],
    ['year 1969', 'cron(0 4 * * ? 1969)'],
    ['? as an hour', 'cron(0 ? * * ? *)'],
    ['step 0', 'cron(0/0 4 * * ? *)'],
    ['a range that goes down', 'cron(0 9-5 * * ? *)'],
    ['a range from *', 'cron(*-5 4 * * ? *)'],
    ['an empty value', 'cron(0,,5 4 * * ? *)'],
    ['no number', 'cron(x 4 * * ? *)'],
    ['no parentheses', '30 4 * * ? *'],
    ['another word', 'every(1 day)'],
    ['rate of 0', 'rate(0 days)'],
    ['rate without a unit', 'rate(5)'],
    ['rate in weeks', 'rate(1 week)'],
    ['at without a time', 'at(2026-11-20)'],
    ['at with a zone', 'at(2026-11-20T13:00:00Z)'],
    ['a day that does not exist', 'at(2026-02-30T13:00:00)'],
    ['nothing', ''],
  ])('%s → invalid', (_, expression) => {
    expect(isSchedule(expression)).toBe(false);
  });
});

describe('isTimeZone', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia', 'Asia/Calcutta', 'Etc/GMT+1'])('%s → valid', (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });

  it.each(['Europe/Bonn', 'europe/berlin', 'EUROPE/BERLIN', '+01:00', 'Berlin', ''])('%j → invalid', (zone) => {
    expect(isTimeZone(zone)).toBe(false);
  });
});

describe('firstSkippedRun', () => {
  const JANUARY = new Date('2026-01-10T12:34:56.789Z');

  it.each([
    ['an hour forward at 2:00', 'cron(30 2 * * ? *)', 'Europe/Berlin', '2026-03-29 02:30'],
    ['the first minute', 'cron(0 2 * * ? *)', 'Europe/Berlin', '2026-03-29 02:00'],
    ['the last minute', 'cron(59 2 * * ? *)', 'Europe/Berlin', '2026-03-29 02:59'],
    ['one of several times', 'cron(0/20 2,14 * * ? *)', 'Europe/Berlin', '2026-03-29 02:00'],
    ['the day of the week is due', 'cron(30 2 ? * SUN *)', 'Europe/Berlin', '2026-03-29 02:30'],
    ['the last Sunday of a month', 'cron(30 2 ? * 1L *)', 'Europe/Berlin', '2026-03-29 02:30'],
    ['an hour forward at 1:00', 'cron(30 1 * * ? *)', 'Europe/Lisbon', '2026-03-29 01:30'],
    ['west of Greenwich', 'cron(15 2 * * ? *)', 'America/New_York', '2026-03-08 02:15'],
    ['south of the equator', 'cron(30 2 * * ? *)', 'Australia/Sydney', '2026-10-04 02:30'],
    ['half an hour forward', 'cron(15 2 * * ? *)', 'Australia/Lord_Howe', '2026-10-04 02:15'],
    ['an hour forward at midnight', 'cron(30 0 * * ? *)', 'Asia/Beirut', '2026-03-29 00:30'],
  ])('%s → the local time', (_, expression, zone, expected) => {
    expect(firstSkippedRun(expression, zone, JANUARY)).toBe(expected);
  });

  it.each([
    ['before the change', 'cron(59 1 * * ? *)', 'Europe/Berlin'],
    ['after the change', 'cron(0 3 * * ? *)', 'Europe/Berlin'],
    ['beyond half an hour forward', 'cron(30 2 * * ? *)', 'Australia/Lord_Howe'],
    ['not due on the day', 'cron(30 2 ? * MON-SAT *)', 'Europe/Berlin'],
    ['not due in the month', 'cron(30 2 * JUL ? *)', 'Europe/Berlin'],
    ['not due in the year', 'cron(30 2 * * ? 2099)', 'Europe/Berlin'],
    ['a zone without changes', 'cron(30 2 * * ? *)', 'UTC'],
    ['a rate', 'rate(1 day)', 'Europe/Berlin'],
    ['a single time', 'at(2026-03-29T02:30:00)', 'Europe/Berlin'],
  ])('%s → undefined', (_, expression, zone) => {
    expect(firstSkippedRun(expression, zone, JANUARY)).toBeUndefined();
  });

  it('from the minute after this year’s change → next year’s', () => {
    const after = new Date('2026-03-29T01:00:00Z');
    expect(firstSkippedRun('cron(30 2 * * ? *)', 'Europe/Berlin', after)).toBe('2027-03-28 02:30');
  });
});
