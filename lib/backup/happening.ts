/** A milestone of a backup in the words of those who hear of it. */
import type { ListedBackup } from '../dds/inventory.ts';
import { beginOf, endOf, type Milestone } from './milestones.ts';

export interface Happening {
  readonly kind: Milestone['kind'];
  readonly time: Date;
  readonly detail: Detail;
}

export interface Detail {
  /** The same whenever it is told again, and of nothing else. */
  readonly id: string;
  readonly backup_id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly instance_name?: string;
  readonly type?: 'Auto' | 'Manual';
  /** ISO 8601, UTC, to the second, as are all times of DDS. */
  readonly began_at: string;
  /** Of one that ended, where DDS tells when. */
  readonly ended_at?: string;
  readonly duration_seconds?: number;
  /** Of one that completed. */
  readonly size_kb?: number;
  /** Of one that is stuck: after how many hours it counts as that. */
  readonly limit_hours?: number;
}

/** What of `backup` is the same in every run: what it came to later is not told. */
export function happening(backup: ListedBackup, { kind, at }: Milestone, limit_hours: number): Happening {
  const { id, name, instance_id, instance_name, size } = backup;
  const began = beginOf(backup);
  const ended = kind === 'stuck' ? undefined : endOf(backup);
  const type = TYPES.get(String(backup.type).toLowerCase());
  return {
    kind,
    time: new Date(at),
    detail: {
      id: `${id}-${kind}`,
      backup_id: id,
      name,
      instance_id,
      ...(typeof instance_name === 'string' && { instance_name }),
      ...(type && { type }),
      began_at: iso(began),
      ...(ended !== undefined && { ended_at: iso(ended), duration_seconds: (ended - began) / 1000 }),
      ...(kind === 'completed' && typeof size === 'number' && { size_kb: size }),
      ...(kind === 'stuck' && { limit_hours }),
    },
  };
}

const TYPES: ReadonlyMap<string, Detail['type']> = new Map([
  ['auto', 'Auto'],
  ['manual', 'Manual'],
]);

const iso = (millis: number): string => new Date(millis).toISOString().replace('.000Z', 'Z');
