/** What happens to a backup after it began, and when: it follows from the backup alone, however late it is asked. */
import type { ListedBackup } from '../dds/inventory.ts';
import { readTime } from '../dds/time.ts';

/**
 * - `completed`, `failed`: it ended so
 * - `unknown`: it ended, and how is not told any more: it is DISABLED, or of a status that the reference does not name
 * - `stuck`: it was still building when it should long have ended
 */
export interface Milestone {
  readonly kind: 'completed' | 'failed' | 'unknown' | 'stuck';
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** From after the one to the other, in milliseconds since 1970. */
export interface Window {
  readonly after: number;
  readonly until: number;
}

const MINUTE = 60 * 1000;
const LENGTH = 5 * MINUTE;
/** A backup's status may change a little after the time that DDS then gives as its end. */
const LAG = 5 * MINUTE;

/** The window of the run of `time`. Those of runs five minutes apart meet, without a gap and without an overlap. */
export const windowOf = (time: Date): Window => ({
  after: time.getTime() - LAG - LENGTH,
  until: time.getTime() - LAG,
});

export const isWithin = ({ after, until }: Window, { at }: Milestone): boolean => at > after && at <= until;

const ENDINGS: ReadonlyMap<unknown, Milestone['kind']> = new Map([
  ['COMPLETED', 'completed'],
  ['FAILED', 'failed'],
]);

/**
 * One end at most, and being stuck at most once. A backup that ended at a time that DDS does not tell counts as ended
 * when it would have been stuck: every later run can tell that moment, and at no other could it be told apart from one
 * that was announced before.
 * @param stuckAfter milliseconds
 */
export function milestones(backup: ListedBackup, stuckAfter: number): readonly Milestone[] {
  const limit = beginOf(backup) + stuckAfter;
  const stuck: Milestone = { kind: 'stuck', at: limit };
  if (backup.status === 'BUILDING') return [stuck];
  const ended: Milestone = { kind: ENDINGS.get(backup.status) ?? 'unknown', at: endOf(backup) ?? limit };
  return ended.at > limit ? [stuck, ended] : [ended];
}

/** Milliseconds since 1970. */
export const beginOf = ({ begin_time }: ListedBackup): number => readTime(begin_time) ?? Number.NaN;

/** Milliseconds since 1970; undefined for a time before the backup began. */
export function endOf(backup: ListedBackup): number | undefined {
  const end = readTime(backup.end_time);
  return end !== undefined && end >= beginOf(backup) ? end : undefined;
}
