/**
 * Retention over years, beside the triggers whose backups it deletes: nightly backups and events, delivered again up to
 * weeks later, backups that fail at once or turn out to have failed, answers that are lost, lists that move between two
 * pages, runs that are lost, late or made twice, and rules that change. The invariants are checked at every deletion and
 * at every backup that begins.
 */
import { setImmediate } from 'node:timers/promises';
import type { BackupRecord, Instance } from '../../emulator/dds/records.ts';
import { refusals } from '../../emulator/dds/refusals.ts';
import { backupCreator } from '../../lib/backup/create.ts';
import { type RetentionPolicy, type RetentionRule, retention } from '../../lib/backup/retention.ts';
import { type Command, prefixesOf } from '../../lib/backup/trigger.ts';
import { Failure } from '../../lib/errors.ts';
import { fieldsOf } from '../../lib/json.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/time.ts';
import { type Chance, chance } from './chance.ts';
import { directDds } from './direct-dds.ts';
import { createWorld, instanceOf } from './world.ts';

export interface YearsOptions {
  readonly days: number;
  readonly seed: number;
}

export interface YearsFigures {
  readonly triggers: number;
  readonly deliveries: number;
  /** Of triggers whose backup retention had deleted. */
  readonly deliveriesAfterDeletion: number;
  readonly backups: number;
  readonly deletions: number;
  readonly retentionRuns: number;
  readonly failedRuns: number;
  /** Derived, at the end. */
  readonly left: number;
  readonly endings: Readonly<Record<string, number>>;
}

export interface Years {
  readonly figures: YearsFigures;
  /** A sentence for each broken invariant; none where all held. */
  readonly violations: readonly string[];
}

const BEGIN = Date.parse('2026-03-01T00:00:00Z');
const MAX_REQUEST_AGE = DAY;
const SETTLED_AFTER = DAY;

interface Task {
  readonly at: number;
  readonly act: () => Promise<void> | void;
}

/** A trigger and the backups that it got. */
interface Asked {
  readonly command: Command;
  readonly prefix: string;
  readonly backups: string[];
  isDeleted: boolean;
}

const INSTANCES: readonly Instance[] = ['orders', 'catalogue', 'archive'].map((id, i) =>
  instanceOf(id, BEGIN - 100 * DAY - i * DAY),
);

/** The same options give the same years. */
export async function simulateYears({ days, seed }: YearsOptions): Promise<Years> {
  const draw = chance('years', seed);
  let millis = BEGIN;
  const now = () => new Date(millis);
  const skew = draw.whole(-14, 14) * MINUTE;
  const world = createWorld({
    now,
    instances: INSTANCES,
    random: draw.next,
    clockSkewMillis: skew,
    listLagMillis: draw.pick([0, 0, 3 * SECOND]),
    deletionMillis: 10 * SECOND,
    outcome: () => (draw.happens(0.05) ? 'FAILED' : 'COMPLETED'),
  });
  const { state } = world;
  const end = BEGIN + days * DAY;
  const tasks = taskQueue();
  const history = new Map<string, BackupRecord>();
  const asked = new Map<string, Asked>();
  const violations: string[] = [];
  const endings: Record<string, number> = {};
  const figures = { deliveries: 0, deliveriesAfterDeletion: 0, deletions: 0, retentionRuns: 0, failedRuns: 0 };
  let rules = rulesFrom(draw);
  const policy: RetentionPolicy = {
    get rules() {
      return rules;
    },
    instances: { kind: 'all' },
    holds: new Set(),
    maxDeletions: 5,
  };

  // What happens beside the functions: automated backups that come and go, by hand too, at any time between two requests.
  let backups = 0;
  const advance = (by: number): void => {
    millis += by;
    tasks.runDue('world', millis);
  };
  const timing = { now, random: draw.next, wait: async (by: number) => advance(by) };
  const dds = directDds({
    ...world,
    timing,
    carry: async (operation, perform) => {
      advance(draw.between(20, 500));
      if (draw.happens(0.01)) return refusals.systemBusy;
      if (operation === 'create-backup') world.change({ backupMillis: draw.between(1, 240) * MINUTE });
      const reply = perform();
      if (operation === 'create-backup' && 'body' in reply) began(String(fieldsOf(reply.body).backup_id));
      if (operation === 'delete-backup' && 'body' in reply) deletedOne();
      advance(draw.between(20, 500));
      return draw.happens(0.01) ? refusals.serverError : reply;
    },
  });
  const create = backupCreator({ dds, timing, maxRequestAgeMillis: MAX_REQUEST_AGE });
  const run = retention({ dds, timing, policy, mode: 'delete' });
  const budget = (duration: number) => {
    const until = millis + duration;
    return { timeLeft: () => until - millis };
  };

  /** A backup of a trigger begins. Nothing but FAILED ones may be there before it. */
  function began(id: string): void {
    const record = state.backup(id);
    if (!record) return;
    backups += 1;
    history.set(id, record);
    if (record.outcome === 'COMPLETED' && draw.happens(0.02)) {
      const at = record.endAt - skew + draw.between(0.1, 20) * HOUR;
      tasks.add('world', { at, act: () => state.changeBackups([record], () => ({ outcome: 'FAILED' })) });
    }
    const trigger = [...current].at(-1);
    if (!trigger) return;
    const others = trigger.backups.map((other) => history.get(other)).filter((other) => other !== undefined);
    if (others.some((other) => other.outcome !== 'FAILED' || other.endAt > state.now()))
      violations.push(`${record.name}: a second backup of ${JSON.stringify(trigger.command.trigger)}.`);
    trigger.backups.push(id);
    there.set(record, trigger);
  }
  const current = new Set<Asked>();

  /** Retention has deleted a backup: was it one that could go? */
  function deletedOne(): void {
    for (const [record, owner] of there) {
      if (record.deletedAt === undefined) continue;
      there.delete(record);
      figures.deletions += 1;
      const rule = rules.find(({ prefix }) => prefix === owner.prefix);
      const fail = (what: string) => violations.push(`${record.name} was deleted at ${now().toISOString()}: ${what}.`);
      if (!rule) {
        fail('no rule names it');
        continue;
      }
      owner.isDeleted = true;
      const isMine = (other: BackupRecord) => other.instance.id === record.instance.id && other.endAt > record.endAt;
      const isSettled = (other: BackupRecord) =>
        other.outcome === 'COMPLETED' && state.now() - other.endAt >= SETTLED_AFTER;
      const newer = [...there.keys()].filter((other) => isMine(other) && isSettled(other));
      const ofRule = newer.filter(({ name }) => name.startsWith(`${rule.prefix}-2`));
      if (record.outcome !== 'COMPLETED') fail('it had FAILED');
      if (state.now() - record.endAt <= rule.keepWithinMillis) fail('it is younger than keep-within');
      if (ofRule.length < rule.keepLast) fail(`only ${ofRule.length} newer ones are left`);
    }
  }
  /** Those that are not deleted, with their triggers. */
  const there = new Map<BackupRecord, Asked>();

  async function deliver(one: Asked, firstDelivery: Date): Promise<void> {
    figures.deliveries += 1;
    if (one.isDeleted) figures.deliveriesAfterDeletion += 1;
    current.add(one);
    try {
      const { kind } = await create(one.command, { ...budget(28 * SECOND), firstDelivery, outcomeUnknown: false });
      endings[kind] = (endings[kind] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      endings[error.name] = (endings[error.name] ?? 0) + 1;
      if (error.retry !== 'never' && millis - firstDelivery.getTime() < MAX_REQUEST_AGE)
        tasks.add('work', { at: millis + HOUR, act: () => deliver(one, firstDelivery) });
    } finally {
      current.delete(one);
    }
  }

  function ask(kind: 'invoke' | 'event-bus', id: string, at: number, instance_id: string, prefix: string): void {
    const time = new Date(Math.floor(at / SECOND) * SECOND);
    const command = { request: { backup: { instance_id, name_prefix: prefix } }, trigger: { kind, id, time } };
    const one: Asked = { command, prefix, backups: [], isDeleted: false };
    asked.set(`${kind} ${id} ${time.toISOString()} ${instance_id}`, one);
    tasks.add('work', { at, act: () => deliver(one, now()) });
    // Delivered again: soon, or weeks later, as from an archive.
    for (let i = draw.pick([0, 0, 1, 2]); i > 0; i--) {
      const again = at + draw.pick([draw.between(0, 2) * HOUR, draw.between(0, 4) * DAY, draw.between(0, 60) * DAY]);
      if (again < end) tasks.add('work', { at: again, act: () => deliver(one, now()) });
    }
  }

  async function retain(time: number): Promise<void> {
    figures.retentionRuns += 1;
    try {
      await run(new Date(time), budget(14 * MINUTE));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      figures.failedRuns += 1;
    }
  }

  let pausedUntil = 0;
  for (let day = BEGIN; day < end; day += DAY) {
    if (draw.happens(0.02)) pausedUntil = day + draw.whole(2, 20) * DAY;
    for (const { id } of INSTANCES) {
      if (day >= pausedUntil) ask('invoke', 'every-night', day + 2.5 * HOUR, id, 'nightly');
      for (let i = draw.pick([0, 0, 1, 2]); i > 0; i--)
        ask('event-bus', `event-${asked.size}`, day + draw.between(0, 24) * HOUR, id, 'release');
      planOthers(day, id);
    }
    const time = day + 5.5 * HOUR;
    if (!draw.happens(0.05)) tasks.add('work', { at: time + draw.pick([0, 0, 0, 10 * HOUR]), act: () => retain(time) });
    if (draw.happens(0.05)) tasks.add('work', { at: time + draw.between(0, 5) * DAY, act: () => retain(time) });
    if (draw.happens(0.01))
      tasks.add('work', {
        at: time - HOUR,
        act: () => {
          rules = rulesFrom(draw);
        },
      });
  }

  /** An automated backup, which DDS deletes a week later, and at times one by hand, whose name looks derived. */
  function planOthers(day: number, instance_id: string): void {
    const at = day + draw.between(0, 24) * HOUR;
    const seed = (name: string, type: 'Auto' | 'Manual') => {
      const begin = new Date(Math.floor((state.now() - HOUR) / SECOND) * SECOND);
      return state.seedBackup({ name, instance_id, type, begin, end: new Date(state.now()) });
    };
    tasks.add('world', {
      at,
      act: () => {
        const automated = seed(`auto-${instance_id}-${day}`, 'Auto');
        tasks.add('world', { at: at + 7 * DAY, act: () => state.removeBackups([automated]) });
      },
    });
    const name = `nightly-${Array.from({ length: 14 }, () => draw.pick([...'abcdefghijklmnopqrstuvwxyz'])).join('')}`;
    // One of a thousand such names has a derived one's checksum, as documented.
    if (draw.happens(0.03) && prefixesOf(name, instance_id).length === 0)
      tasks.add('world', { at, act: () => void byHand.push(seed(name, 'Manual')) });
  }
  const byHand: BackupRecord[] = [];

  for (let task = tasks.next('work'); task; task = tasks.next('work')) {
    advance(Math.max(0, task.at - millis));
    await task.act();
    await setImmediate();
  }
  for (const { id, name } of byHand) if (!state.backup(id)) violations.push(`${name}, made by hand, is gone.`);
  const left = state.backups().filter(({ id }) => history.has(id)).length;
  return { figures: { ...figures, triggers: asked.size, backups, left, endings }, violations };
}

const rulesFrom = (draw: Chance): readonly RetentionRule[] =>
  (['nightly', 'release'] as const)
    .filter(() => !draw.happens(0.1))
    .map((prefix) => {
      const [within, keepLast] = [draw.whole(5, 20), draw.whole(1, 6)];
      const text = `${prefix}: keep-within ${within}d, keep-last ${keepLast}`;
      return { prefix, keepWithinMillis: within * DAY, keepLast, text };
    });

/** What is to be done, by time: `work` one after the other, `world` whenever time passes. */
function taskQueue() {
  const queues: Record<'work' | 'world', Task[]> = { work: [], world: [] };
  return {
    add: (kind: 'work' | 'world', task: Task): void => {
      const queue = queues[kind];
      let low = 0;
      for (let high = queue.length; low < high; ) {
        const middle = (low + high) >>> 1;
        if ((queue[middle]?.at ?? 0) <= task.at) low = middle + 1;
        else high = middle;
      }
      queue.splice(low, 0, task);
    },
    next: (kind: 'work'): Task | undefined => queues[kind].shift(),
    runDue: (kind: 'world', until: number): void => {
      while ((queues[kind][0]?.at ?? Number.POSITIVE_INFINITY) <= until) void queues[kind].shift()?.act();
    },
  };
}
