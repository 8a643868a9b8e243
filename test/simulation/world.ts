/** The state of a DDS without a server, with a clock of its own. */
import { type EmulatorClock, emulatorClock } from '../../emulator/dds/clock.ts';
import { idSource } from '../../emulator/dds/ids.ts';
import type { Backup, Instance, Outcome } from '../../emulator/dds/records.ts';
import { readSettings, type Settings } from '../../emulator/dds/settings.ts';
import { createState, type State } from '../../emulator/dds/state.ts';

export interface WorldOptions extends Partial<Settings> {
  readonly now: () => Date;
  readonly instances: readonly Instance[];
  readonly random?: () => number;
  readonly outcome?: (backup: Backup) => Outcome;
}

export interface World {
  readonly state: State;
  readonly clock: EmulatorClock;
  readonly settings: () => Settings;
  change(settings: Partial<Settings>): void;
}

export function createWorld({ now, instances, random = Math.random, outcome, ...options }: WorldOptions): World {
  let current = readSettings(options);
  const settings = () => current;
  const clock = emulatorClock(now, settings);
  const state = createState({
    clock,
    ids: idSource(random),
    instances,
    settings,
    outcome: outcome ?? (() => 'COMPLETED'),
  });
  return {
    state,
    clock,
    settings,
    change: (changes) => {
      current = readSettings({ ...current, ...changes });
    },
  };
}

export const instanceOf = (id: string, createdAt: number, more: Partial<Instance> = {}): Instance => ({
  id,
  name: `name-of-${id}`,
  status: 'normal',
  mode: 'ReplicaSet',
  datastore: { type: 'DDS-Community', version: '4.4' },
  createdAt,
  ...more,
});
