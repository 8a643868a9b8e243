/** Sizes that say that a completed backup may hold less than it should. */
import type { ListedBackup } from '../dds/types.ts';
import { groupByInstance } from './instances.ts';

/** So many backups before it tell what size is usual. */
export const COMPARED = 5;
const MIN_FRACTION = 1 / 10;

/** The ids of completed backups of 0 bytes, or of under a tenth of the median of the instance's five before. */
export function suspiciousSizes(backups: readonly ListedBackup[]): ReadonlySet<string> {
  const suspicious = new Set<string>();
  const sized = backups.filter(({ status, sizeKb }) => status === 'COMPLETED' && sizeKb !== undefined);
  for (const ofInstance of groupByInstance(sized, ({ instance_id }) => instance_id).values()) {
    const ordered = ofInstance.toSorted((a, b) => (a.beganAt ?? 0) - (b.beganAt ?? 0) || (a.id < b.id ? -1 : 1));
    for (const [index, { id, sizeKb = 0 }] of ordered.entries()) {
      const before = ordered.slice(Math.max(0, index - COMPARED), index).map((one) => one.sizeKb ?? 0);
      if (sizeKb === 0 || sizeKb < median(before) * MIN_FRACTION) suspicious.add(id);
    }
  }
  return suspicious;
}

/** 0 of none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
