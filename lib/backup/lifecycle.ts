/** The events of a backup after it began. They follow from the backup alone, whenever it is looked at. */
import type { ClockOffset } from '../dds/time.ts';
import type { ListedBackup } from '../dds/types.ts';
import { isoSeconds, MINUTE, SECOND } from '../time.ts';

/**
 * - `completed`, `failed`: it ended so
 * - `unknown`: it ended, and its outcome cannot be known any more: it is being deleted, or its status is not documented
 * - `stuck`: it was still building when it should long have ended
 */
export type LifecycleEventKind = 'completed' | 'failed' | 'unknown' | 'stuck';

export interface LifecycleEvent {
  readonly kind: LifecycleEventKind;
  /** By DDS's clock, as are all times of backups. */
  readonly time: Date;
  readonly detail: LifecycleDetail;
}

/** What of a backup is the same in every run. */
export interface LifecycleDetail {
  /** The same whenever the event is published again. */
  readonly id: string;
  readonly backup_id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name?: string;
  readonly type?: 'Auto' | 'Manual';
  /** ISO 8601, UTC, to the second. */
  readonly began_at: string;
  /** Where DDS gives it. */
  readonly ended_at?: string;
  readonly duration_seconds?: number;
  /** Of a completed backup. */
  readonly size_kb?: number;
  /** It is much smaller than those before it, or empty. */
  readonly suspicious_size?: true;
  /** Of a stuck one: the age at which it counts as stuck. */
  readonly limit_hours?: number;
}

/** A listed backup whose begin could be read. */
export type BegunBackup = ListedBackup & { readonly beganAt: number };

/** From after the one to the other, in milliseconds since 1970 by DDS's clock. */
export interface Window {
  readonly after: number;
  readonly until: number;
}

const LENGTH = 5 * MINUTE;
/** A status may change a little after the time that DDS then gives as the end. */
const LAG = 5 * MINUTE;
/** Windows overlap a little, since the estimate of DDS's clock differs from run to run. Repeats have the same id. */
const OVERLAP = 10 * SECOND;

/** The window of the run of `time`: with the runs every five minutes, windows cover all time. */
export function windowOf(time: Date, { atLeast, atMost }: ClockOffset = { atLeast: 0, atMost: 0 }): Window {
  const until = time.getTime() - LAG + (atLeast + atMost) / 2;
  return { after: until - LENGTH - OVERLAP, until };
}

export const isWithin = ({ after, until }: Window, { time }: { readonly time: Date }): boolean =>
  time.getTime() > after && time.getTime() <= until;

const ENDS: ReadonlyMap<string, LifecycleEventKind> = new Map([
  ['COMPLETED', 'completed'],
  ['FAILED', 'failed'],
]);

/**
 * At most one end, and stuck at most once. A backup that ended at a time that DDS does not give counts as ended when it
 * would have been stuck: every later run knows that moment.
 * @param stuckAfter milliseconds
 */
export function eventsOf(backup: BegunBackup, stuckAfter: number): readonly LifecycleEvent[] {
  const limit = backup.beganAt + stuckAfter;
  const stuck = event(backup, 'stuck', limit, stuckAfter);
  if (backup.status === 'BUILDING') return [stuck];
  const ended = event(backup, ENDS.get(backup.status) ?? 'unknown', endOf(backup) ?? limit, stuckAfter);
  return ended.time.getTime() > limit ? [stuck, ended] : [ended];
}

/** Milliseconds since 1970; undefined for a time before the backup began. */
export const endOf = ({ beganAt, endedAt }: BegunBackup): number | undefined =>
  endedAt !== undefined && endedAt >= beganAt ? endedAt : undefined;

function event(backup: BegunBackup, kind: LifecycleEventKind, at: number, stuckAfter: number): LifecycleEvent {
  const { id, name, instance_id, instance_name, type, beganAt, sizeKb } = backup;
  const ended = kind === 'stuck' ? undefined : endOf(backup);
  return {
    kind,
    time: new Date(at),
    detail: {
      id: `${id}-${kind}`,
      backup_id: id,
      name,
      instance_id,
      ...(instance_name !== undefined && { instance_name }),
      ...(type && { type }),
      began_at: isoSeconds(beganAt),
      ...(ended !== undefined && { ended_at: isoSeconds(ended), duration_seconds: (ended - beganAt) / SECOND }),
      ...(kind === 'completed' && sizeKb !== undefined && { size_kb: sizeKb }),
      ...(kind === 'stuck' && { limit_hours: stuckAfter / (60 * MINUTE) }),
    },
  };
}
