import { windowOf } from '../backup/milestones.ts';
import { isObject } from './http-event.ts';
import { notIdentified, timeAt } from './trigger-source.ts';

/**
 * The time that a schedule's event, `{ "time": "2026-03-01T02:30:00Z" }`, says it is for, however long ago.
 * @throws InvalidRequest when it says none that is RFC 3339, or one whose window is not over: that is yet to happen
 */
export function scheduledTime(event: unknown, now: Date): Date {
  const time = timeAt('/time', isObject(event) ? event.time : undefined);
  if (windowOf(time).until <= now.getTime()) return time;
  throw notIdentified('/time', 'must be at most 5 minutes ahead');
}
