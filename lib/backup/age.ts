/** The backup age of each instance: the hours since its last completed backup, and when that is overdue. */
import type { ListedInstance } from '../dds/types.ts';
import { DAY, HOUR } from '../time.ts';
import { type BegunBackup, endOf, type Window } from './lifecycle.ts';

export interface BackupAge {
  readonly instance_id: string;
  readonly instance_name?: string;
  /**
   * Since the end of its last COMPLETED backup, or else since it was created; to a hundredth. Missing where neither is
   * known.
   */
  readonly hours?: number;
  /** It is at least so old: its last backup was not asked for in this run. */
  readonly at_least?: true;
  /** Above this it is overdue; missing where its age does not count. */
  readonly limit_hours?: number;
  /** Missing where it has no COMPLETED backup. */
  readonly last_backup_id?: string;
}

export interface AgeLimits {
  readonly maxBackupAgeHours: number;
  /** By instance: other limits, or `off`. */
  readonly overrides: ReadonlyMap<string, number | 'off'>;
  /** Whether automated backups count. */
  readonly backupAgeOf: 'any' | 'manual';
}

/** What is known of an instance's last backup. */
type Last = { readonly id: string; readonly end: number } | 'none' | undefined;

/**
 * Takes backups in any order, each as often as it comes, and keeps the last of every instance.
 * @param instances by id; backups of others are passed over
 */
export function backupAges(instances: ReadonlyMap<string, ListedInstance>, limits: AgeLimits) {
  const last = new Map<string, Exclude<Last, undefined>>();

  const limitOf = (id: string): number | undefined => {
    const limit = limits.overrides.get(id) ?? limits.maxBackupAgeHours;
    return limit === 'off' ? undefined : limit;
  };

  /** Milliseconds since 1970. */
  const since = ({ id, createdAt }: ListedInstance): number | undefined => {
    const known = last.get(id);
    return typeof known === 'object' ? known.end : known === 'none' ? createdAt : undefined;
  };

  return {
    add(backup: BegunBackup): void {
      if (backup.status !== 'COMPLETED' || !instances.has(backup.instance_id)) return;
      if (limits.backupAgeOf === 'manual' && backup.type !== 'Manual') return;
      // Where DDS gives no end, the begin is the safe side.
      const end = endOf(backup) ?? backup.beganAt;
      const known = last.get(backup.instance_id);
      if (typeof known !== 'object' || end > known.end) last.set(backup.instance_id, { id: backup.id, end });
    },

    /** The instance has no COMPLETED backup. */
    addNone(instanceId: string): void {
      if (!last.has(instanceId)) last.set(instanceId, 'none');
    },

    /** The instances of which nothing is known yet. */
    unknown: (): readonly ListedInstance[] => [...instances.values()].filter(({ id }) => !last.has(id)),

    /**
     * The age of each instance at `millis` since 1970 by DDS's clock, the unknown ones first, then the greatest. What
     * ended, or was created, later is 0 hours old.
     * @param horizon milliseconds: an instance of which nothing is known has no completed backup that began within
     */
    at(millis: number, horizon: number): readonly BackupAge[] {
      return Array.from(instances.values(), (instance): BackupAge => {
        const { id, name } = instance;
        const known = last.get(id);
        const from = known === undefined ? millis - horizon : since(instance);
        const limit = limitOf(id);
        return {
          instance_id: id,
          ...(name !== undefined && { instance_name: name }),
          ...(from !== undefined && { hours: Math.round((100 * Math.max(0, millis - from)) / HOUR) / 100 }),
          ...(known === undefined && { at_least: true as const }),
          ...(limit !== undefined && { limit_hours: limit }),
          ...(typeof known === 'object' && { last_backup_id: known.id }),
        };
      }).sort((a, b) => (b.hours ?? Number.POSITIVE_INFINITY) - (a.hours ?? Number.POSITIVE_INFINITY) || 0);
    },

    /**
     * The moments within the window at which an instance becomes overdue, and every 24 hours after that while it lasts.
     * None of an instance of which nothing is known.
     */
    overdueMoments(instance: ListedInstance, { after, until }: Window): readonly number[] {
      const limit = limitOf(instance.id);
      const from = since(instance);
      if (limit === undefined || from === undefined) return [];
      const start = from + limit * HOUR;
      const first = start + Math.max(0, Math.floor((after - start) / DAY) + 1) * DAY;
      const count = Math.max(0, Math.floor((until - first) / DAY) + 1);
      return Array.from({ length: count }, (_, index) => first + index * DAY);
    },
  };
}
