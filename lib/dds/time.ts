/**
 * Milliseconds since 1970 of a time as DDS writes it, UTC to the second: `2018-08-06 10:41:14` in the list of backups,
 * `2019-01-17T07:05:52` in that of instances, elsewhere with `Z` or `+0000`. Undefined for anything else, and for a time
 * that no calendar has.
 */
export function readTime(text: unknown): number | undefined {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:Z|\+00:?00)?$/.exec(String(text)) ?? [];
  const written = `${date}T${time}.000Z`;
  const millis = Date.parse(written);
  // A 30th of February would be the 2nd of March.
  return Number.isNaN(millis) || new Date(millis).toISOString() !== written ? undefined : millis;
}
