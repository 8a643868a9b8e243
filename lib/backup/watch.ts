/** The use case: every backup to its end, whoever asked for it, and no instance without one for long. */
import { type Ask, allBackups, allInstances, type ListedInstance } from '../dds/inventory.ts';
import { type Freshness, freshnessOf } from './freshness.ts';
import { type Happening, happening } from './happening.ts';
import { isWithin, milestones, windowOf } from './milestones.ts';

const HOUR = 60 * 60 * 1000;

export interface WatchOptions {
  /** After how many hours a backup that is still BUILDING is stuck. */
  readonly stuckAfterHours: number;
  /** The ids of the instances whose freshness is nobody's concern. */
  readonly ignored: ReadonlySet<string>;
}

export interface Watched {
  /** What happened in the window, oldest first. */
  readonly happenings: readonly Happening[];
  /** Of each instance, the least fresh first. */
  readonly freshness: readonly Freshness[];
  /** How many were read, those that are ignored with them. */
  readonly backups: number;
  readonly instances: number;
}

/**
 * Reads all backups and instances of the project, and tells what happened in the window of the run of `time` and how
 * fresh each instance's last backup was then. It does not matter when the run is made, nor which were made before: it
 * tells the same, as long as DDS does.
 *
 * All backups are read, since even the oldest may only now have ended, and none is kept.
 * @throws what `ask`, `allInstances` and `allBackups` throw
 */
export async function watch(ask: Ask, time: Date, { stuckAfterHours, ignored }: WatchOptions): Promise<Watched> {
  const window = windowOf(time);
  const instances = new Map<string, ListedInstance>();
  const listed = new Set<string>();
  for await (const instance of allInstances(ask)) {
    listed.add(instance.id);
    if (!ignored.has(instance.id)) instances.set(instance.id, instance);
  }

  const freshness = freshnessOf(instances);
  // By id: what is read twice happened once.
  const happenings = new Map<string, Happening>();
  let backups = 0;
  for await (const backup of allBackups(ask)) {
    backups += 1;
    freshness.add(backup);
    for (const milestone of milestones(backup, stuckAfterHours * HOUR)) {
      if (!isWithin(window, milestone)) continue;
      const told = happening(backup, milestone, stuckAfterHours);
      happenings.set(told.detail.id, told);
    }
  }
  return {
    happenings: [...happenings.values()].sort(byTime),
    freshness: freshness.asOf(time),
    backups,
    instances: listed.size,
  };
}

const byTime = (a: Happening, b: Happening): number => a.time.getTime() - b.time.getTime();
