/** Where the events of a world happen: the instances, and how DDS behaves when nothing goes wrong. */
import type { Instance } from '../emulator/dds/records.ts';
import type { Chance } from './chance.ts';

export interface Conditions {
  readonly instances: readonly Instance[];
  /** How long a backup takes. */
  readonly backupMillis: number;
  /** How much DDS's clock is ahead of ours; the design bears up to a second either way. */
  readonly skewMillis: number;
  /** Whether DDS looks at the instance's state before the name. */
  readonly busyFirst: boolean;
  /** How likely a backup is to end as FAILED. */
  readonly failing: number;
  /** Milliseconds from one event to the next, on average. */
  readonly pace: number;
}

/** Clocks that are further apart than this break the design's two seconds, of which DDS's whole seconds take one. */
export const LARGEST_SKEW = 900;

export function conditions(chance: Chance): Conditions {
  const size = chance.weighted([
    [1, 1],
    [2, 4],
    [4, 20],
    [2, 60],
  ]);
  // A single instance that is busy for minutes would take in nothing else.
  const backupMillis = chance.pick(size < 10 ? [500, 2000, 10_000] : [2000, 30_000, 120_000, 600_000]);
  const load = chance.pick([0.05, 0.2, 0.5]);
  return {
    instances: Array.from({ length: size }, (_, number) => instance(number)),
    backupMillis,
    skewMillis: chance.whole(-LARGEST_SKEW, LARGEST_SKEW),
    busyFirst: chance.happens(0.5),
    failing: chance.pick([0, 0.1, 0.3]),
    pace: backupMillis / size / load,
  };
}

const instance = (number: number): Instance => ({
  id: `${number.toString(16).padStart(32, 'c')}in02`,
  name: `instance-${number}`,
  status: 'normal',
  mode: 'ReplicaSet',
  datastore: { type: 'DDS-Community', version: '4.4' },
  createdAt: Date.parse('2025-01-13T08:00:00Z'),
});
