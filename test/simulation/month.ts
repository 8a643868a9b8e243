/**
 * The monitor over a month: a run every five minutes, of which some fail, are late or are made twice, while backups are
 * made, end, turn out to have failed and are deleted, also between two pages of a list. What every run finds is held
 * against what DDS held when it began and when it ended.
 */
import type { BackupRecord, Instance } from '../../emulator/dds/records.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import type { MonitorPolicy, MonitorRun } from '../../lib/backup/monitor.ts';
import { monitorOf } from '../../lib/backup/monitor.ts';
import { Failure } from '../../lib/errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { type Chance, chance } from './chance.ts';
import { directDds } from './direct-dds.ts';
import { createWorld, instanceOf, type World } from './world.ts';

export interface MonthOptions {
  readonly days: number;
  readonly seed: number;
  readonly instances?: number;
}

export interface MonthFigures {
  readonly runs: number;
  readonly failedRuns: number;
  readonly backups: number;
  /** Published, by kind; repeats count. */
  readonly events: Readonly<Record<string, number>>;
  readonly repeats: number;
  readonly reports: number;
}

export interface Month {
  readonly figures: MonthFigures;
  /** A sentence for each broken invariant; none where all held. */
  readonly violations: readonly string[];
}

const BEGIN = Date.parse('2026-03-01T00:00:00Z');
const INTERVAL = 5 * MINUTE;
/** How far before its time a run's window ends, and by how much an estimate of DDS's clock may be off. */
const MARGIN = 5 * MINUTE + 15 * SECOND;

const POLICY: MonitorPolicy = {
  stuckAfterHours: 12,
  maxBackupAgeHours: 26,
  overrides: new Map<string, number | 'off'>([
    ['instance-0', 48],
    ['instance-1', 'off'],
  ]),
  backupAgeOf: 'any',
  reportMinute: 6 * 60,
};

interface Action {
  readonly at: number;
  readonly act: () => void;
}

/** What becomes of a backup, by the simulation's own plan. */
interface Fate {
  readonly record: BackupRecord;
  /** Begin and end by DDS's clock, to the second; without an end it is shown without one. */
  readonly end: number | undefined;
  readonly isReadable: boolean;
  readonly outcome: string;
  /** By our clock. */
  readonly flippedAt: number | undefined;
  readonly goneAt: number;
}

/** The same options give the same month. */
export async function simulateMonth({ days, seed, instances: count = 12 }: MonthOptions): Promise<Month> {
  const draw = chance('month', seed);
  let millis = BEGIN;
  const now = () => new Date(millis);
  const skew = Math.round(draw.between(-14, 14) * MINUTE);
  const world = createWorld({
    now,
    instances: instancesOf(count),
    random: draw.next,
    clockSkewMillis: skew,
    statusCase: draw.pick(['upper', 'lower', 'capitalised']),
    timeFormat: draw.pick(['space', 'T', 'Z', '+0000']),
  });
  const end = BEGIN + days * DAY;
  const { actions, fates } = planOf(world, draw, skew, end);
  const outages = outagesOf(draw, end);

  const advance = (by: number): void => {
    millis += by;
    while ((actions[0]?.at ?? Number.POSITIVE_INFINITY) <= millis) actions.shift()?.act();
  };
  const timing = {
    now,
    random: draw.next,
    wait: async (by: number) => advance(by),
  };
  const dds = directDds({
    ...world,
    timing,
    carry: async (_, perform) => {
      advance(draw.between(20, 400));
      const reply = outages.some(({ from, until }) => millis >= from && millis < until)
        ? refusals.serverError
        : draw.happens(0.002)
          ? refusals.systemBusy
          : perform();
      advance(draw.between(20, 400));
      return reply;
    },
  });
  const monitor = monitorOf({ dds, now, policy: POLICY });

  const check = checker(fates, skew);
  for (const { time, at } of scheduleOf(draw, outages, end)) {
    advance(Math.max(0, at - millis));
    const startedAt = millis;
    const budgetEnd = millis + 50 * SECOND;
    try {
      const run = await monitor(new Date(time), { timeLeft: () => budgetEnd - millis });
      check.done({ time, startedAt, endedAt: millis, run });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      check.failed();
    }
  }
  return check.result();
}

const instancesOf = (count: number): readonly Instance[] =>
  Array.from({ length: count }, (_, i) => instanceOf(`instance-${i}`, BEGIN - 100 * DAY - i * 7 * HOUR - i * SECOND));

/** Nightly backups of every instance but the last, which never has one; and what happens to them. */
function planOf({ state }: World, draw: Chance, skew: number, end: number) {
  const actions: Action[] = [];
  const fates: Fate[] = [];
  const instances = state.instances();
  for (const { id } of instances.slice(0, -1)) {
    // Some instances stop for days, so that they become overdue.
    let pausedUntil = 0;
    for (let night = BEGIN; night < end; night += DAY) {
      if (draw.happens(0.08)) pausedUntil = night + draw.whole(1, 5) * DAY;
      if (night < pausedUntil) continue;
      for (let i = 0; i < draw.pick([1, 1, 1, 2]); i++) {
        const at = Math.round(night + draw.between(0, 24) * HOUR);
        actions.push({ at, act: () => void fates.push(begin(state, draw, id, at, skew, actions)) });
      }
    }
  }
  actions.sort((a, b) => a.at - b.at);
  return { actions, fates };
}

/** Begins a backup now, decides on its end, and plans what happens to it later. */
function begin(
  state: World['state'],
  draw: Chance,
  instance_id: string,
  at: number,
  skew: number,
  actions: Action[],
): Fate {
  const seconds = (millis: number): number => Math.floor(millis / SECOND) * SECOND;
  const beginAt = seconds(at + skew);
  const duration = draw.weighted([
    [80, draw.between(1, 180) * MINUTE],
    [10, draw.between(11, 14) * HOUR],
    [5, draw.between(14, 40) * HOUR],
    [5, draw.between(0, 5) * SECOND],
  ]);
  const endAt = seconds(beginAt + duration);
  const outcome = draw.happens(0.15) ? 'FAILED' : 'COMPLETED';
  const isReadable = !draw.happens(0.01);
  const hasEnd = !draw.happens(0.04);
  const record = state.seedBackup({
    name: `nightly-${instance_id}-${at}`,
    instance_id,
    type: draw.pick(['Manual', 'Auto', 'manual', 'auto']),
    begin: new Date(beginAt),
    end: new Date(endAt),
    outcome,
    size: draw.pick([0, 50, 900, 1000, 1100]),
    ...(!isReadable && { override: { set: { begin_time: null } } }),
    ...(!hasEnd && { override: { omit: ['end_time'] } }),
  });
  const later = (when: number, act: () => void): void => {
    const index = actions.findIndex((action) => action.at > when);
    actions.splice(index < 0 ? actions.length : index, 0, { at: when, act });
  };
  // By our clock.
  const ended = endAt - skew;
  const flippedAt = outcome === 'COMPLETED' && draw.happens(0.02) ? ended + draw.between(0.2, 20) * HOUR : undefined;
  if (flippedAt !== undefined) later(flippedAt, () => state.changeBackups([record], () => ({ outcome: 'FAILED' })));
  const goneAt = draw.weighted([
    [70, ended + draw.between(2, 40) * DAY],
    [20, ended + draw.between(0, 60) * MINUTE],
    [10, ended + draw.between(0, 48) * HOUR],
  ]);
  const deletedAt = Math.max(ended, goneAt - draw.between(0, 30) * MINUTE);
  later(deletedAt, () => state.changeBackups([record], () => ({ deletedAt: state.now() })));
  later(goneAt, () => state.removeBackups([record]));
  return { record, end: hasEnd ? endAt : undefined, isReadable, outcome, flippedAt, goneAt: deletedAt };
}

interface Outage {
  readonly from: number;
  readonly until: number;
}

const outagesOf = (draw: Chance, end: number): readonly Outage[] =>
  Array.from({ length: Math.ceil((end - BEGIN) / (6 * DAY)) }, (_, i) => {
    const from = BEGIN + (i * 6 + draw.between(0, 5)) * DAY;
    return { from, until: from + draw.between(0.5, 6) * HOUR };
  });

/** When each run is made. One that is lost is made again from its queue, hours later: so are those of an outage. */
function scheduleOf(draw: Chance, outages: readonly Outage[], end: number) {
  const all: { time: number; at: number }[] = [];
  for (let time = BEGIN + INTERVAL; time <= end; time += INTERVAL) {
    const isLost = draw.happens(0.01);
    const at = time + (draw.happens(0.05) ? draw.between(1, 60) * MINUTE : draw.between(0, 3) * SECOND);
    if (!isLost) all.push({ time, at });
    if (draw.happens(0.02)) all.push({ time, at: at + draw.between(0, 10) * MINUTE });
    const outage = outages.find(({ from, until }) => at > from - MINUTE && at < until + MINUTE);
    if (isLost || outage) all.push({ time, at: (outage?.until ?? at) + draw.between(0.2, 4) * HOUR });
  }
  return all.sort((a, b) => a.at - b.at);
}

interface Made {
  readonly time: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly run: MonitorRun;
}

function checker(fates: readonly Fate[], skew: number) {
  const made: Made[] = [];
  const violations: string[] = [];
  const published = new Map<string, string>();
  const events: Record<string, number> = {};
  let failedRuns = 0;
  let repeats = 0;

  const iso = (at: number) => new Date(at).toISOString();
  /** DDS's clock at a moment of ours. */
  const dds = (at: number) => at + skew;
  const inWindow = (time: number, moment: number, margin: number) =>
    moment > dds(time) - 2 * INTERVAL - margin && moment <= dds(time) - INTERVAL + margin;

  return {
    failed: (): void => {
      failedRuns += 1;
    },

    done: (one: Made): void => {
      made.push(one);
      for (const { kind, time, detail } of one.run.events) {
        events[kind] = (events[kind] ?? 0) + 1;
        if (!inWindow(one.time, time.getTime(), 15 * SECOND))
          violations.push(`${detail.id} of ${time.toISOString()} is not of the run of ${iso(one.time)}.`);
        const { hours: _, ...rest } = { hours: 0, ...detail };
        const text = JSON.stringify([kind, time, kind === 'overdue' ? detail.id : rest]);
        const known = published.get(detail.id);
        if (known !== undefined) repeats += 1;
        if (known !== undefined && known !== text && !mayDiffer(known, text))
          violations.push(`${detail.id} was published as ${known} and as ${text}.`);
        published.set(detail.id, text);
      }
    },

    result: (): Month => {
      for (const fate of fates) violations.push(...missed(fate), ...unreported(fate));
      for (const id of overdueMissed()) violations.push(id);
      const ends = new Map<string, Set<string>>();
      for (const id of published.keys()) {
        const [, backupId = '', kind = ''] = /^(.*br02)-(completed|failed|unknown)$/.exec(id) ?? [];
        if (backupId) ends.set(backupId, (ends.get(backupId) ?? new Set()).add(kind));
      }
      for (const { record, flippedAt } of fates) {
        const kinds = [...(ends.get(record.id) ?? [])].filter((kind) => kind !== 'unknown');
        if (kinds.length > 1 && flippedAt === undefined)
          violations.push(`${record.id} was published as ${kinds.join(' and ')}.`);
      }
      const reports = made.filter(({ run }) => run.report).length;
      return {
        figures: { runs: made.length, failedRuns, backups: fates.length, events, repeats, reports },
        violations,
      };
    },
  };

  /** The size of a backup may be flagged in one run and not in another, when others are deleted. */
  function mayDiffer(a: string, b: string): boolean {
    const plain = (text: string) => text.replace(',"suspicious_size":true', '');
    return plain(a) === plain(b);
  }

  /** Ends and stuck backups that a run must have found: listed until the end of a run whose window has them. */
  function missed({ record, end, isReadable, outcome, flippedAt, goneAt }: Fate): readonly string[] {
    if (!isReadable) return [];
    const stuckAt = record.beginAt + POLICY.stuckAfterHours * HOUR;
    const endedAt = end ?? stuckAt;
    const found: string[] = [];
    const isFound = (moment: number, kind: string) => {
      // A run that began after the moment was shown and ended before anything changed.
      const must = made.some(
        ({ time, startedAt, endedAt: until }) =>
          inWindow(time, moment, -15 * SECOND) &&
          dds(startedAt) >= Math.max(moment, record.endAt) &&
          until < Math.min(goneAt, flippedAt ?? Number.POSITIVE_INFINITY),
      );
      const id = `${record.id}-${kind}`;
      if (must && !published.has(id)) found.push(`${id} of ${iso(moment)} was not published.`);
    };
    isFound(endedAt, outcome.toLowerCase());
    if (end !== undefined && end > stuckAt) isFound(stuckAt, 'stuck');
    return found;
  }

  /** A backup that is listed as FAILED for a day and until the next report is in one. */
  function unreported({ record, end, isReadable, outcome, flippedAt, goneAt }: Fate): readonly string[] {
    const failedAt = outcome === 'FAILED' ? record.endAt - skew : flippedAt;
    if (!isReadable || failedAt === undefined || goneAt < failedAt + DAY) return [];
    const since = (end ?? record.beginAt) - skew;
    const due = made.filter(
      ({ time, startedAt, endedAt, run }) =>
        run.report && startedAt > failedAt && endedAt < goneAt && time < since + 2 * DAY - MARGIN,
    );
    const isReported = due.some(({ run }) => run.report?.failed.some(({ backup_id }) => backup_id === record.id));
    return due.length === 0 || isReported ? [] : [`${record.id}, FAILED at ${iso(failedAt)}, is in no report.`];
  }

  /** The instance without any backup is overdue once a day, from its creation on. */
  function overdueMissed(): readonly string[] {
    const times = made.map(({ time }) => time);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    return [...new Set(made.flatMap(({ run }) => run.ages))]
      .filter(({ last_backup_id, limit_hours }) => last_backup_id === undefined && limit_hours !== undefined)
      .slice(-1)
      .flatMap(({ instance_id }) => {
        const moments = [...published.keys()].filter((id) => id.startsWith(`${instance_id}-overdue-`)).length;
        const expected = Math.floor((last - first) / DAY);
        return moments < expected - 1 || moments > expected + 1
          ? [`${instance_id} was overdue ${moments} times in ${expected} days.`]
          : [];
      });
  }
}
