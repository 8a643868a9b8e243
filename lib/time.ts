/** Clock, waiting and randomness, which tests replace, and the formats of times. */

/** Milliseconds. */
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Timing {
  readonly now: () => Date;
  readonly wait: (millis: number) => Promise<void>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

export const systemTiming: Timing = {
  now: () => new Date(),
  wait: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
  random: Math.random,
};

/** UTC in ISO 8601's basic format, to the second: `20260131T235959Z`. */
export const compactTime = (time: Date): string => time.toISOString().replace(/[-:]|\.\d{3}/g, '');

/** UTC in ISO 8601, to the second: `2026-01-31T23:59:59Z`. */
export const isoSeconds = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19)}Z`;

/** What `parseRfc3339` reads. */
export const MUST_BE_A_TIME = 'must be a time such as 2026-01-31T23:59:59Z';

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * An RFC 3339 time from 1970 to 9999. Undefined for anything else, and for a date that no calendar has (30 February).
 */
export function parseRfc3339(text: unknown): Date | undefined {
  const [, date, clock, fraction = '', zone = ''] = RFC_3339.exec(typeof text === 'string' ? text : '') ?? [];
  const local = new Date(`${date}T${clock}Z`);
  // JavaScript reads 30 February as 2 March.
  if (Number.isNaN(local.getTime()) || local.toISOString().slice(0, 19) !== `${date}T${clock}`) return undefined;
  const time = new Date(`${date}T${clock}${fraction}${zone.toUpperCase()}`);
  return isPlausible(time) ? time : undefined;
}

/** From 1970 to 9999: a year of four digits. */
export const isPlausible = (time: Date): boolean => time.getTime() >= 0 && time.getTime() < Date.UTC(10_000, 0);
