/** Times of DDS: how it writes them, and how far its clock is from ours. */
import { DAY, MINUTE, SECOND } from '../time.ts';

const WRITTEN = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Milliseconds since 1970 of a time in an answer of DDS, cut to the second. It writes `2018-08-06 10:41:14` in the list
 * of backups and `2019-01-17T07:05:52` in that of instances, elsewhere with `Z` or `+0000`; without a zone it is UTC.
 * Undefined for anything else, for a date that no calendar has, and for the first day of 1970, which stands for none.
 */
export function parseDdsTime(text: unknown): number | undefined {
  const [, date, time, zone = 'Z'] = WRITTEN.exec(typeof text === 'string' ? text : '') ?? [];
  const utc = new Date(`${date}T${time}Z`);
  // JavaScript reads 30 February as 2 March.
  if (Number.isNaN(utc.getTime()) || utc.toISOString().slice(0, 19) !== `${date}T${time}`) return undefined;
  const millis = Date.parse(`${date}T${time}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(millis) || millis < DAY ? undefined : millis;
}

/** `yyyy-mm-dd hh:mm:ss` in UTC, as DDS's filters expect it. */
export const formatDdsTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

/** By how many milliseconds DDS's clock is ahead of ours: somewhere between the two. */
export interface ClockOffset {
  readonly atLeast: number;
  readonly atMost: number;
}

/** The gateway refuses a signature whose time is further off than this, so no clock can be. */
export const MAX_SKEW: ClockOffset = { atLeast: -15 * MINUTE, atMost: 15 * MINUTE };

const MAX_ESTIMATE_AGE = 5 * MINUTE;

/**
 * Estimates DDS's clock from the `Date` header of its answers (RFC 9110, section 6.6.1), which tells the second in which
 * the answer was made: some time between sending and receiving. The answer with the shortest round trip tells most.
 */
export function clockEstimate() {
  let best: { readonly roundTrip: number; readonly receivedAt: number; readonly offset: ClockOffset } | undefined;

  return {
    /** @param sentAt, receivedAt milliseconds since 1970 by our clock */
    observe(date: string | undefined, sentAt: number, receivedAt: number): void {
      const stated = Date.parse(date ?? '');
      const roundTrip = receivedAt - sentAt;
      if (Number.isNaN(stated) || roundTrip < 0) return;
      if (best && best.roundTrip < roundTrip && receivedAt - best.receivedAt < MAX_ESTIMATE_AGE) return;
      const offset = { atLeast: stated - receivedAt, atMost: stated + SECOND - sentAt };
      if (offset.atMost < MAX_SKEW.atLeast || offset.atLeast > MAX_SKEW.atMost) return;
      best = { roundTrip, receivedAt, offset };
    },

    /** `MAX_SKEW` until an answer with a possible `Date` was observed. */
    offset: (): ClockOffset => best?.offset ?? MAX_SKEW,
  };
}
