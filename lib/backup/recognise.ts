/** Whether a backup of the wanted name is there already, and whose it is. */
import type { DdsClient } from '../dds/client.ts';
import type { Backup, CreateBackupRequest } from '../dds/types.ts';
import type { Limits } from '../otc/connection.ts';
import type { Trigger } from './trigger.ts';

const DAY = 24 * 60 * 60 * 1000;
/** DDS tells times to the second, and its clock is not ours. */
const CLOCK_TOLERANCE = 2000;
/** The gateway takes a clock that is off by so much; a trigger's may be ahead of ours as well. */
const CLOCK_SKEW = 15 * 60 * 1000;

export type Wanted = CreateBackupRequest['backup'];

/**
 * Looks for a backup of the wanted name among the instance's manual backups that began in the last 24 hours, or since
 * the trigger where that is longer ago.
 * @param since the trigger's time, where it has one, else its first delivery's, where that is not this one
 */
export async function findByName(
  dds: DdsClient,
  { instance_id, name }: Wanted,
  now: Date,
  since: Date | undefined,
  limits: () => Limits,
): Promise<Backup | undefined> {
  const window = {
    begin_time: ddsTime(since ? Math.min(since.getTime(), now.getTime() - DAY) - CLOCK_SKEW : now.getTime() - DAY),
    end_time: ddsTime(now.getTime() + DAY),
  };
  for await (const found of dds.listBackups({ instance_id, backup_type: 'Manual', ...window }, limits)) {
    if (found.name === name) return found;
  }
  return undefined;
}

/**
 * Whether the backup that was found is the one wanted, and not one that happens to have its name. One that failed, or is
 * being deleted, is none.
 * @param since for a name that a caller chose: the earliest that the backup may have begun; a derived name says by
 * itself whose it is
 */
export const isWanted = (found: Backup, wanted: Wanted, since: Date | undefined): boolean =>
  (found.status === 'BUILDING' || found.status === 'COMPLETED') &&
  found.instance_id === wanted.instance_id &&
  (found.description ?? '') === (wanted.description ?? '') &&
  (since === undefined || Date.parse(`${found.begin_time}Z`) >= since.getTime() - CLOCK_TOLERANCE);

/**
 * The earliest that the backup of a trigger may have begun: with the trigger, or with the first delivery of one without
 * a time. A time ahead of that delivery counts as it, and one of more than a day before as a day before: nothing is on
 * its way that long, and the sender of an event may choose its time.
 * @param began the first delivery of the trigger that is known of
 */
export const earliestBegin = ({ time }: Trigger, began: Date): Date =>
  time === undefined || time > began ? began : new Date(Math.max(time.getTime(), began.getTime() - DAY));

/** `yyyy-mm-dd hh:mm:ss` in UTC. */
const ddsTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');
