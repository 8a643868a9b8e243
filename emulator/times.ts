/** Times as DDS writes them: UTC, to the second. */

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
