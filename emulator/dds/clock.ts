/** The clocks of the emulator, all moved by one: the clock that was handed in. Milliseconds. */
import type { Settings } from './settings.ts';

export interface EmulatorClock {
  /** The time that the emulator was given, and by how much a test has advanced it. */
  now(): number;
  /** DDS's own clock: what backups, instances and jobs are dated by. */
  dds(): number;
  /** The gateway's own clock: the `Date` header, and what the age of signatures and tokens is held against. */
  gateway(): number;
  advance(millis: number): void;
}

export function emulatorClock(source: () => Date, settings: () => Settings): EmulatorClock {
  let advanced = 0;
  const now = (): number => source().getTime() + advanced;
  const skewed = (without: Settings['clockSkewOf']): number => {
    const { clockSkewMillis, clockSkewOf } = settings();
    return now() + (clockSkewOf === without ? 0 : clockSkewMillis);
  };
  return {
    now,
    dds: () => skewed('date'),
    gateway: () => skewed('backups'),
    advance: (millis) => {
      advanced += millis;
    },
  };
}
