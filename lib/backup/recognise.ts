/** Whether a backup of the wanted name is there already, and whose it is. */
import type { DdsClient } from '../dds/client.ts';
import type { Backup, CreateBackupRequest } from '../dds/types.ts';
import type { Limits } from '../otc/signed-request.ts';

const DAY = 24 * 60 * 60 * 1000;
/** DDS tells times to the second, and its clock is not ours. */
const CLOCK_TOLERANCE = 2000;
/** A trigger's time may be ahead of ours: `invoke` takes one by so much. */
const FURTHEST_AHEAD = 5 * 60 * 1000;

export type Wanted = CreateBackupRequest['backup'];

/**
 * Looks for a backup of the wanted name among the instance's manual backups that began in the window.
 * @param since the trigger's time, for a window from five minutes before; without it the window is the last 24 hours
 */
export async function findByName(
  dds: DdsClient,
  { instance_id, name }: Wanted,
  now: Date,
  since: Date | undefined,
  limits: () => Limits,
): Promise<Backup | undefined> {
  const window = {
    begin_time: ddsTime((since ? since.getTime() - FURTHEST_AHEAD : now.getTime() - DAY) - CLOCK_TOLERANCE),
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

/** `yyyy-mm-dd hh:mm:ss` in UTC. */
const ddsTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');
