/** How long each instance has been without a new backup. */
import type { ListedBackup, ListedInstance } from '../dds/inventory.ts';
import { readTime } from '../dds/time.ts';
import { beginOf, endOf } from './milestones.ts';

const HOUR = 60 * 60 * 1000;

export interface Freshness {
  readonly instance_id: string;
  readonly instance_name?: string;
  /** Since the end of its last COMPLETED backup, or else since it was created; to a hundredth. */
  readonly hours: number;
  /** None where it was never backed up. */
  readonly last_backup_id?: string;
}

/**
 * Takes in backups in any order, each as often as it comes, and keeps the last of every instance.
 * @param instances by id; backups of others are passed over
 */
export function freshnessOf(instances: ReadonlyMap<string, ListedInstance>) {
  const last = new Map<string, { readonly id: string; readonly end: number }>();

  return {
    add(backup: ListedBackup): void {
      if (backup.status !== 'COMPLETED' || !instances.has(backup.instance_id)) return;
      // One whose end is not told is no fresher than its beginning.
      const end = endOf(backup) ?? beginOf(backup);
      if (end > (last.get(backup.instance_id)?.end ?? Number.NEGATIVE_INFINITY))
        last.set(backup.instance_id, { id: backup.id, end });
    },

    /**
     * The freshness of each instance as of `time`, the least fresh first. What ended, or was created, after `time` is 0
     * hours old. An instance that was never backed up, and was created nobody knows when, counts as one of 1970.
     */
    asOf(time: Date): readonly Freshness[] {
      return Array.from(instances.values(), ({ id, name, created }): Freshness => {
        const backup = last.get(id);
        const since = backup?.end ?? readTime(created) ?? 0;
        return {
          instance_id: id,
          ...(typeof name === 'string' && { instance_name: name }),
          hours: Math.round((100 * Math.max(0, time.getTime() - since)) / HOUR) / 100,
          ...(backup && { last_backup_id: backup.id }),
        };
      }).sort((a, b) => b.hours - a.hours);
    },
  };
}
