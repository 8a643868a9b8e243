/** The conditions of a simulation: how DDS behaves when no fault is injected, and how many events come in. */
import type { EmulatorOptions } from '../../emulator/dds/emulator.ts';
import type { Instance } from '../../emulator/dds/records.ts';
import { type Chance, chance } from './chance.ts';

export interface Conditions {
  readonly instances: readonly Instance[];
  /** How long a backup takes. */
  readonly backupMillis: number;
  /** How much DDS's clock is ahead of ours. */
  readonly skewMillis: number;
  /** How likely a backup is to end as FAILED. */
  readonly failureRate: number;
  /** How much of an instance's time is taken by backups, about. */
  readonly load: number;
  /** Further options of the emulator. */
  readonly emulator: Readonly<Partial<EmulatorOptions>>;
}

/** The largest difference between the clocks. */
const MAX_SKEW_MILLIS = 900;

/** Options of the emulator, each drawn once for a simulation. A further condition is one more row. */
const EMULATOR_OPTIONS = {
  /** Whether DDS checks the state of the instance before the name. */
  busyFirst: (draw: Chance) => draw.happens(0.5),
} satisfies { readonly [Option in keyof EmulatorOptions]?: (draw: Chance) => EmulatorOptions[Option] };

/** Each condition has random numbers of its own, so that a further one leaves the others as they are. */
export function conditions(...seed: readonly (string | number)[]): Conditions {
  const drawFor = (condition: string): Chance => chance('conditions', condition, ...seed);
  const size = drawFor('instances').weighted([
    [1, 1],
    [2, 4],
    [4, 20],
    [2, 60],
  ]);
  return {
    instances: Array.from({ length: size }, (_, number) => instance(number)),
    // A single instance that is busy for minutes would refuse nearly every event.
    backupMillis: drawFor('backupMillis').pick(size < 10 ? [500, 2000, 10_000] : [2000, 30_000, 120_000, 600_000]),
    skewMillis: drawFor('skewMillis').whole(-MAX_SKEW_MILLIS, MAX_SKEW_MILLIS),
    failureRate: drawFor('failureRate').pick([0, 0.1, 0.3, 0.8]),
    load: drawFor('load').pick([0.05, 0.2, 0.5]),
    emulator: Object.fromEntries(Object.entries(EMULATOR_OPTIONS).map(([name, draw]) => [name, draw(drawFor(name))])),
  };
}

/** Milliseconds from one event to the next, on average. */
export const paceOf = ({ backupMillis, instances, load }: Conditions): number => backupMillis / instances.length / load;

const instance = (number: number): Instance => ({
  id: `${number.toString(16).padStart(32, 'c')}in02`,
  name: `instance-${number}`,
  status: 'normal',
  mode: 'ReplicaSet',
  datastore: { type: 'DDS-Community', version: '4.4' },
  createdAt: Date.parse('2025-01-13T08:00:00Z'),
});
