/** The use case: what became of a backup. */
import type { DdsClient } from '../dds/client.ts';
import type { Budget } from '../dds/retry.ts';
import type { ListedBackup } from '../dds/types.ts';
import { Failure } from '../errors.ts';
import { SECOND } from '../time.ts';
import { attemptNames } from './trigger.ts';

const MAX_BACKUPS = 100;
const MIN_POLL_SECONDS = 1;
const MAX_POLL_SECONDS = 30;

export interface BackupStatus {
  readonly backup: ListedBackup;
  /** When to ask again, while it is BUILDING: a tenth of its age, 1 to 30 seconds. */
  readonly pollAfterSeconds?: number;
}

/** Both calls throw what `DdsClient` throws. */
export interface StatusReader {
  /** @throws Failure `BackupNotFound` */
  read(id: string, budget: Budget): Promise<BackupStatus>;
  /**
   * The newest hundred backups of an instance, newest first.
   * @param name only those of this name and of its further attempts
   */
  list(instanceId: string, name: string | undefined, budget: Budget): Promise<readonly ListedBackup[]>;
}

export function statusReader(dds: DdsClient, now: () => Date): StatusReader {
  return {
    async read(id, budget) {
      for await (const backup of dds.listBackups({ backup_id: id }, budget)) {
        if (backup.id !== id) continue;
        if (backup.status !== 'BUILDING') return { backup };
        const { atLeast, atMost } = dds.clockOffset();
        const age = now().getTime() + (atLeast + atMost) / 2 - (backup.beganAt ?? Number.NaN);
        const tenth = Math.round(age / SECOND / 10) || 0;
        return { backup, pollAfterSeconds: Math.min(MAX_POLL_SECONDS, Math.max(MIN_POLL_SECONDS, tenth)) };
      }
      throw new Failure('BackupNotFound', `DDS lists no backup ${id}. A new one may be listed some seconds later.`);
    },

    async list(instanceId, name, budget) {
      const names = name === undefined ? undefined : attemptNames(name);
      const backups: ListedBackup[] = [];
      for await (const backup of dds.listBackups({ instance_id: instanceId }, budget)) {
        if (names === undefined || names.includes(backup.name)) backups.push(backup);
        if (backups.length === MAX_BACKUPS) break;
      }
      return backups;
    },
  };
}
