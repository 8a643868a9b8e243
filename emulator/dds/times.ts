/** Times as DDS writes them, in UTC, and as it might. */
import type { Settings } from './settings.ts';

/** `2018-08-06 10:41:14`, as in the list of backups. */
export const formatTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

/** Milliseconds of a time in that format; undefined for any other text and for a time that no calendar has. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const millis = Date.parse(`${text.replace(' ', 'T')}Z`);
  return Number.isNaN(millis) || formatTime(millis) !== text ? undefined : millis;
}

/** `2021-07-12T09:22:04+0000`, as in the reference's samples of a job. */
export const formatJobTime = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19)}+0000`;

/** In one of the formats that a client may have to read. */
export function formatTimeAs(format: Settings['timeFormat'], millis: number): string | null {
  const iso = new Date(millis).toISOString();
  switch (format) {
    case 'space':
      return formatTime(millis);
    case 'T':
      return iso.slice(0, 19);
    case 'Z':
      return `${iso.slice(0, 19)}Z`;
    case '+0000':
      return formatJobTime(millis);
    case 'fraction':
      return iso;
    case 'null':
      return null;
  }
}
