/** The conditions of a simulation: how DDS behaves when no fault is injected, and how many events come in. */
import type { EmulatorOptions } from '../../emulator/dds/emulator.ts';
import type { Instance } from '../../emulator/dds/records.ts';
import type { Settings } from '../../emulator/dds/settings.ts';
import { type Chance, chance } from './chance.ts';

export interface Conditions {
  readonly platform: 'aws' | 'functiongraph';
  /** Of each project. */
  readonly projects: readonly { readonly id: string; readonly instances: readonly Instance[] }[];
  readonly instances: readonly Instance[];
  /** How long a backup takes. */
  readonly backupMillis: number;
  /** How likely a backup is to end as FAILED. */
  readonly failureRate: number;
  /** How much of an instance's time is taken by backups, about. */
  readonly load: number;
  /** Backups of others that an instance has from the start, and that come and go between two pages of a list. */
  readonly others: number;
  /** Changes by hand, for each event: backups are deleted, or turn out to have FAILED. */
  readonly handRate: number;
  /**
   * How often the access key is replaced, and how long the secret still holds the old one: until then it is refused. On
   * FunctionGraph each invocation gets keys that are valid for longer than it runs.
   */
  readonly keyChanges: readonly { readonly secretLagMillis: number }[];
  /** How likely a delivery is to find a new copy of its function, which has no connection and does not know DDS's clock. */
  readonly coldStartRate: number;
  /** After its first delivery a request is retried for so long. */
  readonly maxRequestAgeHours: number;
  /** How long an invocation on FunctionGraph waits for what is not decided. */
  readonly maxWaitSeconds: number;
  readonly emulator: Readonly<Partial<EmulatorOptions>> & Readonly<Partial<Settings>>;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The gateway refuses a signature whose time is further off than 15 minutes. */
const MAX_SKEW_MILLIS = 14.8 * MINUTE;

/** Options of the emulator, each drawn once for a simulation. A further condition is one more row. */
const EMULATOR_OPTIONS = {
  /** Whether DDS checks the state of the instance before the name. */
  busyFirst: (draw: Chance) => draw.happens(0.5),
  deletionIsBusy: (draw: Chance) => draw.happens(0.3),
  deletionMillis: (draw: Chance) => draw.pick([1 * SECOND, 5 * SECOND, 5 * MINUTE]),
  unknownInstance: (draw: Chance) => draw.pick(['refused', 'empty'] as const),
  listLagMillis: (draw: Chance) => (draw.happens(0.5) ? 0 : draw.whole(1, 10 * SECOND)),
  totalCount: (draw: Chance) => draw.pick(['right', 'zero', 'page', 'one too high'] as const),
  descriptions: (draw: Chance) => draw.pick(['as sent', 'trimmed', 'normalised', 'trimmed and normalised'] as const),
  timeFormat: (draw: Chance) =>
    draw.weighted([
      [4, 'space' as const],
      [1, 'T' as const],
      [1, 'Z' as const],
      [1, '+0000' as const],
      [1, 'fraction' as const],
      [0.2, 'null' as const],
    ]),
  statusCase: (draw: Chance) => draw.pick(['upper', 'upper', 'lower', 'capitalised'] as const),
  clockSkewMillis: (draw: Chance) =>
    draw.weighted([
      [3, draw.whole(-900, 900)],
      [2, draw.whole(-90 * SECOND, 90 * SECOND)],
      [3, draw.whole(-MAX_SKEW_MILLIS, MAX_SKEW_MILLIS)],
    ]),
  clockSkewOf: (draw: Chance) =>
    draw.weighted([
      [6, 'all' as const],
      [1, 'date' as const],
      [1, 'backups' as const],
    ]),
  dateHeader: (draw: Chance) => draw.happens(0.92),
} satisfies { readonly [Option in keyof Settings]?: (draw: Chance) => Settings[Option] };

const PROJECTS = ['first', 'second'] as const;

/** Each condition has random numbers of its own, so that a further one leaves the others as they are. */
export function conditions(...seed: readonly (string | number)[]): Conditions {
  const drawFor = (condition: string): Chance => chance('conditions', condition, ...seed);
  const size = drawFor('instances').weighted([
    [1, 1],
    [2, 4],
    [4, 20],
    [2, 60],
  ]);
  const instances = Array.from({ length: size }, (_, number) => instance(number));
  const platform = drawFor('platform').weighted<Conditions['platform']>([
    [2, 'aws'],
    [1, 'functiongraph'],
  ]);
  const isShared = platform === 'aws' && size > 1 && drawFor('projects').happens(0.6);
  const projects = (isShared ? PROJECTS : PROJECTS.slice(0, 1)).map((id, project, { length }) => ({
    id,
    instances: instances.filter((_, number) => number % length === project),
  }));
  const others = drawFor('others').pick([0, 0, 3, 3, 130]);
  // A small page costs many requests where there is much to list.
  const pageCap = drawFor('pageCap').pick(
    others > 100 ? [null, 50] : [null, null, null, null, null, 50, 10, size < 10 ? 3 : 20],
  );
  const emulator: Conditions['emulator'] = Object.fromEntries(
    Object.entries(EMULATOR_OPTIONS).map(([name, draw]) => [name, draw(drawFor(name))]),
  );
  const keyChanges = drawFor('keyChanges').pick([
    [],
    [],
    [{ secretLagMillis: 0 }],
    [{ secretLagMillis: 30 * SECOND }, { secretLagMillis: 10 * MINUTE }],
  ]);
  return {
    platform,
    projects,
    instances,
    // A single instance that is busy for minutes would refuse nearly every event.
    backupMillis: drawFor('backupMillis').pick(size < 10 ? [500, 2000, 10_000] : [2000, 30_000, 120_000, 600_000]),
    failureRate: drawFor('failureRate').pick([0, 0.1, 0.3, 0.8]),
    load: drawFor('load').pick([0.05, 0.2, 0.5]),
    others,
    handRate: drawFor('handRate').pick([0, 0, 0.05, 0.3]),
    keyChanges: platform === 'aws' ? keyChanges : [],
    coldStartRate: drawFor('coldStartRate').pick([0, 0.05, 0.3]),
    // Where DDS's clock is not known, much stays open until the end.
    maxRequestAgeHours: emulator.dateHeader === false ? 0.5 : drawFor('maxRequestAgeHours').pick([24, 3, 1, 0.5]),
    maxWaitSeconds: drawFor('maxWaitSeconds').pick([60, 600, 3600]),
    emulator: { ...emulator, pageCap },
  };
}

/** Milliseconds from one event to the next, on average. */
export const paceOf = ({ backupMillis, instances, load }: Conditions): number => backupMillis / instances.length / load;

/** How far ahead of ours DDS's clocks are: that of its backups, and the one that its answers show. */
export function skewOf({ emulator: { clockSkewMillis = 0, clockSkewOf, dateHeader = true } }: Conditions): {
  readonly backups: number;
  readonly shown: number;
} {
  const backups = clockSkewOf === 'date' ? 0 : clockSkewMillis;
  return { backups, shown: dateHeader ? (clockSkewOf === 'backups' ? 0 : clockSkewMillis) : backups };
}

export const projectOf = ({ projects }: Conditions, instanceId: string): string =>
  projects.find(({ instances }) => instances.some(({ id }) => id === instanceId))?.id ?? PROJECTS[0];

const instance = (number: number): Instance => ({
  id: `${number.toString(16).padStart(32, 'c')}in02`,
  name: `instance-${number}`,
  status: 'normal',
  mode: 'ReplicaSet',
  datastore: { type: 'DDS-Community', version: '4.4' },
  createdAt: Date.parse('2025-01-13T08:00:00Z'),
});
