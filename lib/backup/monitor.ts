/**
 * The use case: finds the backup events of five minutes, whoever asked for the backups, and how old the last backup of
 * each instance is.
 */
import type { DdsClient } from '../dds/client.ts';
import type { Budget } from '../dds/retry.ts';
import { type ClockOffset, formatDdsTime, MAX_SKEW } from '../dds/time.ts';
import type { ListBackupsQuery, ListedBackup, ListedInstance, UnreadableRecord } from '../dds/types.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import { type AgeLimits, type BackupAge, backupAges } from './age.ts';
import { type BegunBackup, eventsOf, isWithin, type LifecycleEvent, windowOf } from './lifecycle.ts';
import { isReportDue, type Report, reportOf } from './report.ts';
import { suspiciousSizes } from './size.ts';

export interface MonitorPolicy extends AgeLimits {
  /** After how many hours a backup that is still BUILDING is stuck. */
  readonly stuckAfterHours: number;
  /** When the report of a day is due, in minutes after midnight UTC. */
  readonly reportMinute: number;
}

export interface MonitorOptions {
  readonly dds: DdsClient;
  readonly now: () => Date;
  readonly policy: MonitorPolicy;
}

/** An instance has been without a completed backup for longer than it may. */
export interface OverdueEvent {
  readonly kind: 'overdue';
  readonly time: Date;
  readonly detail: BackupAge & { readonly id: string };
}

export type BackupEvent = LifecycleEvent | OverdueEvent;

export interface MonitorRun {
  /** Those in the window of the run, oldest first. */
  readonly events: readonly BackupEvent[];
  /** Of each instance, the unknown ones first, then the greatest. */
  readonly ages: readonly BackupAge[];
  /** Records that were skipped, or that hold a time that cannot be. */
  readonly unreadable: readonly UnreadableRecord[];
  /** How far DDS's clock is ahead of ours, in seconds; missing where its answers do not tell. */
  readonly skewSeconds?: number;
  /** How many were read. */
  readonly backups: number;
  readonly instances: number;
  /** Once a day. */
  readonly report?: Report;
}

/** A time of DDS that lies further ahead than this is wrong. */
const MAX_AHEAD = 2 * MINUTE;
/** What began earlier is read only where an instance has nothing newer. */
const MIN_HORIZON = 2 * DAY;
const SLICE = 6 * HOUR;
/** About single instances, in a run. */
const MAX_QUESTIONS = 60;
const MAX_PARALLEL = 8;
/** Of an instance's newest backups, to find a completed one, and to compare sizes. */
const MAX_NEWEST = 100;
const RUN_INTERVAL = 5 * MINUTE;

/**
 * Reads what began within the horizon, and finds the events in the window of the run of `time` and how old the last
 * backup of each instance was then. A run finds the same whenever it is made and whichever runs were made before, as
 * long as DDS lists the same. Windows follow DDS's clock. What a run costs does not grow with the backups that are
 * stored: instances without a completed backup within the horizon are asked for one by one, at most 60 in a run. Where
 * there are more, every instance has its turn in one of several runs.
 * @throws what `DdsClient` throws
 */
export type Monitor = (time: Date, budget: Budget) => Promise<MonitorRun>;

export function monitorOf({ dds, now, policy }: MonitorOptions): Monitor {
  const stuckAfter = policy.stuckAfterHours * HOUR;
  const horizon = Math.max(MIN_HORIZON, 2 * stuckAfter);

  return async function monitor(time, budget) {
    const unreadable = new Map<string, UnreadableRecord>();
    const skip = (record: UnreadableRecord) => void unreadable.set(JSON.stringify(record), record);
    const recent = new Map<string, BegunBackup>();
    let read = 0;

    const latest = (): number => now().getTime() + middle(dds.clockOffset()) + MAX_AHEAD;
    async function readBackups(query: ListBackupsQuery, limit = Number.POSITIVE_INFINITY): Promise<BegunBackup[]> {
      const begun: BegunBackup[] = [];
      let count = 0;
      for await (const listed of dds.listBackups(query, budget, skip)) {
        const backup = plausibleBackup(listed, latest(), skip);
        if (backup) begun.push(backup);
        if (++count === limit) break;
      }
      read += count;
      return begun;
    }

    const listed: ListedInstance[] = [];
    const readInstances = async () => {
      for await (const instance of dds.listInstances({}, budget, skip))
        listed.push(plausibleInstance(instance, latest(), skip));
    };
    const from = Math.min(time.getTime(), now().getTime()) - horizon - MAX_SKEW.atMost;
    const readSlice = async (query: ListBackupsQuery) => {
      for (const backup of await readBackups(query)) recent.set(backup.id, backup);
    };
    const until = Math.min(time.getTime(), now().getTime()) + HOUR;
    await Promise.all([readInstances(), inParallel(slices(from, until), readSlice)]);

    const instances = new Map(listed.map((instance) => [instance.id, instance]));
    const ages = backupAges(instances, policy);
    for (const backup of recent.values()) ages.add(backup);

    const unknown = ages.unknown();
    const { turns, hasTurn } = turnOf(listed, time);
    const asked = unknown.length <= MAX_QUESTIONS ? unknown : unknown.filter(hasTurn);
    await inParallel(asked, async ({ id }) => {
      const type = policy.backupAgeOf === 'manual' && ({ backup_type: 'Manual' } as const);
      const newest = await readBackups({ instance_id: id, ...type }, MAX_NEWEST);
      for (const backup of newest) {
        recent.set(backup.id, backup);
        ages.add(backup);
      }
      if (newest.length < MAX_NEWEST) ages.addNone(id);
    });

    const offset = dds.clockOffset();
    const window = windowOf(time, isKnown(offset) ? offset : undefined);
    const inWindow = [...recent.values()].flatMap((backup) =>
      eventsOf(backup, stuckAfter).filter((event) => isWithin(window, event)),
    );
    const suspicious = new Set(suspiciousSizes([...recent.values()]));
    const completed = new Set(
      inWindow.filter(({ kind }) => kind === 'completed').map(({ detail }) => detail.instance_id),
    );
    // The backups to compare with may have begun before the horizon. Of the instances for which no question is left, the
    // recent ones have to do.
    const compared = [...completed].sort().slice(0, MAX_QUESTIONS - asked.length);
    for (const { id, instance_id } of recent.values()) if (compared.includes(instance_id)) suspicious.delete(id);
    await inParallel(compared, async (id) => {
      const newest = await readBackups({ instance_id: id }, MAX_NEWEST);
      for (const backupId of suspiciousSizes(newest)) suspicious.add(backupId);
    });
    const events: BackupEvent[] = inWindow.map((event) =>
      event.kind === 'completed' && suspicious.has(event.detail.backup_id)
        ? { ...event, detail: { ...event.detail, suspicious_size: true } }
        : event,
    );

    const at = time.getTime() + middle(offset);
    const agesNow = ages.at(at, horizon);
    // What was asked for one by one is known for sure in the run of its turn, which covers the runs since the last turn.
    const old = new Set(unknown);
    const sinceLastTurn = { ...window, after: window.after - (turns - 1) * RUN_INTERVAL };
    for (const age of agesNow) {
      const instance = instances.get(age.instance_id);
      const isOld = instance !== undefined && old.has(instance);
      if (!instance || (isOld && !hasTurn(instance))) continue;
      for (const moment of ages.overdueMoments(instance, isOld ? sinceLastTurn : window))
        events.push(overdue(age, moment));
    }
    const report = isReportDue(time, RUN_INTERVAL, policy.reportMinute)
      ? await reportOf({ time, at, ages: agesNow, instances: listed, recent: [...recent.values()], dds, budget })
      : undefined;
    return {
      events: events.sort((a, b) => a.time.getTime() - b.time.getTime()),
      ages: agesNow,
      unreadable: [...unreadable.values()],
      ...(isKnown(offset) && { skewSeconds: Math.trunc(middle(offset) / SECOND) }),
      backups: read,
      instances: listed.length,
      ...(report && { report }),
    };
  };
}

/** Acts on all items, at most eight at a time. Rejects with the first error, after which no item is begun. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift())
      await act(item).catch((error) => {
        queue.length = 0;
        throw error;
      });
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, worker));
}

/** In how many runs every instance has its turn once, and which have it in the run of `time`: at most 60. */
function turnOf(instances: readonly ListedInstance[], time: Date) {
  const turns = Math.max(1, Math.ceil(instances.length / MAX_QUESTIONS));
  const turn = Math.floor(time.getTime() / RUN_INTERVAL) % turns;
  const ids = instances.map(({ id }) => id).sort();
  const having = new Set(ids.filter((_, index) => index % turns === turn));
  return { turns, hasTurn: ({ id }: ListedInstance): boolean => having.has(id) };
}

/** Queries for what began in slices of six hours. */
function slices(from: number, until: number): readonly ListBackupsQuery[] {
  const count = Math.ceil((until - from) / SLICE);
  return Array.from({ length: count }, (_, index) => ({
    begin_time: formatDdsTime(from + index * SLICE),
    end_time: formatDdsTime(from + (index + 1) * SLICE),
  }));
}

const overdue = (age: BackupAge, moment: number): OverdueEvent => ({
  kind: 'overdue',
  time: new Date(moment),
  detail: { id: `${age.instance_id}-overdue-${formatDdsTime(moment).replace(' ', 'T')}Z`, ...age },
});

const isKnown = (offset: ClockOffset): boolean => offset !== MAX_SKEW;

const middle = ({ atLeast, atMost }: ClockOffset): number => (atLeast + atMost) / 2;

/** Without a begin nothing can be said of a backup. An end in the future is left out. */
function plausibleBackup(
  backup: ListedBackup,
  latest: number,
  skip: (record: UnreadableRecord) => void,
): BegunBackup | undefined {
  const { id, beganAt, endedAt, ...rest } = backup;
  if (beganAt === undefined || beganAt > latest) {
    skip({ list: 'backups', id, field: 'begin_time' });
    return undefined;
  }
  if (endedAt === undefined || endedAt <= latest) return { ...backup, beganAt };
  skip({ list: 'backups', id, field: 'end_time' });
  return { id, beganAt, ...rest };
}

function plausibleInstance(
  instance: ListedInstance,
  latest: number,
  skip: (record: UnreadableRecord) => void,
): ListedInstance {
  const { createdAt, ...rest } = instance;
  if (createdAt !== undefined && createdAt <= latest) return instance;
  skip({ list: 'instances', id: instance.id, field: 'created' });
  return rest;
}
