/** The use case: deletes old backups by rules, and none that may be needed. */
import type { DdsClient, OnUnreadable } from '../dds/client.ts';
import type { Budget } from '../dds/retry.ts';
import type { ListBackupsQuery, ListedBackup, ListedInstance } from '../dds/types.ts';
import { Failure } from '../errors.ts';
import { DAY, SECOND, type Timing } from '../time.ts';
import { groupByInstance, type InstanceSelector, selects } from './instances.ts';
import { suspiciousSizes } from './size.ts';
import { prefixesOf } from './trigger.ts';

/** In restic's words: https://restic.readthedocs.io/en/stable/060_forget.html */
export interface RetentionRule {
  /** Of the names that it is about. */
  readonly prefix: string;
  /** No younger backup is deleted. */
  readonly keepWithinMillis: number;
  /** So many settled backups of an instance and prefix stay, at least 1. */
  readonly keepLast: number;
  /** As it was configured. */
  readonly text: string;
}

export interface RetentionPolicy {
  readonly rules: readonly RetentionRule[];
  readonly instances: InstanceSelector;
  /** The ids of backups and instances that are left alone. */
  readonly holds: ReadonlySet<string>;
  /** Of an instance and run, unless twice its new backups of a day are more. */
  readonly maxDeletions: number;
}

export interface Decision {
  readonly backup: ListedBackup;
  readonly action: 'delete' | 'keep';
  /** Why, in words. */
  readonly reason: string;
  readonly rule?: RetentionRule;
}

export interface Inventory {
  readonly backups: readonly ListedBackup[];
  readonly instances: readonly ListedInstance[];
}

/** A backup counts as settled a day after its end: by then a late failure would show. */
const SETTLED_AFTER = DAY;

/** A backup with the times that decide. */
interface Dated {
  readonly backup: ListedBackup;
  /** The later of begin and end; undefined where one is missing or in the future. */
  readonly at: number | undefined;
  readonly rule: RetentionRule | undefined;
  readonly isSettled: boolean;
}

/**
 * Decides on every backup, whatever the order of the lists. A backup is deleted only if all of this holds: it is Manual
 * and COMPLETED; its name is derived, of a rule's prefix; it is older than `keepWithin`; at least `keepLast` settled
 * backups of its instance and prefix are newer; it is not the newest settled Manual backup of its instance; the newest
 * settled one of its instance and prefix is younger than half of `keepWithin`, so that deletion stops where backups
 * stop; its instance is listed and selected; nothing is on hold.
 * @param now by DDS's clock
 */
export function planRetention(
  { backups, instances }: Inventory,
  policy: RetentionPolicy,
  now: number,
): readonly Decision[] {
  const known = new Map(instances.map((instance) => [instance.id, instance]));
  const suspicious = suspiciousSizes(backups);
  const dated = backups.map((backup): Dated => {
    const at = settledAt(backup, now);
    const isSettled =
      backup.status === 'COMPLETED' && at !== undefined && now - at >= SETTLED_AFTER && !suspicious.has(backup.id);
    return { backup, at, rule: ruleOf(backup, policy.rules), isSettled };
  });
  const byInstance = groupByInstance(dated, ({ backup }) => backup.instance_id);
  return Array.from(byInstance, ([id, all]) => {
    const decisions = all.map((one) => decide(one, all, known.get(id), policy, now));
    return limited(decisions, all, policy, now);
  }).flat();
}

function decide(
  { backup, at, rule }: Dated,
  all: readonly Dated[],
  instance: ListedInstance | undefined,
  { instances, holds }: RetentionPolicy,
  now: number,
): Decision {
  const keep = (reason: string): Decision => ({ backup, action: 'keep', reason, ...(rule && { rule }) });
  if (backup.type !== 'Manual') return keep('automated: DDS deletes it by its own policy');
  if (!rule) return keep('no rule is about its name');
  if (backup.status !== 'COMPLETED') return keep(`it is ${backup.status}`);
  if (!instance) return keep('its instance is not listed');
  if (!selects(instances, instance)) return keep('its instance is not selected');
  if (holds.has(backup.id) || holds.has(backup.instance_id)) return keep('on hold');
  if (at === undefined) return keep('its times cannot be read, or lie in the future');
  if (now - at <= rule.keepWithinMillis) return keep('younger than keep-within');

  const newer = ({ isSettled, at: other }: Dated): boolean => isSettled && other !== undefined && other > at;
  const sameRule = all.filter((one) => one.rule === rule);
  const newerOfRule = sameRule.filter(newer);
  if (newerOfRule.length < rule.keepLast) return keep('one of the last that are kept');
  // What DDS calls automated it deletes by itself, whatever its name.
  if (!all.some((one) => one.backup.type === 'Manual' && newer(one))) return keep('the newest of its instance');
  const newest = Math.max(...newerOfRule.map((one) => one.at ?? 0));
  if (now - newest >= rule.keepWithinMillis / 2) return keep('new backups have stopped');
  return { backup, action: 'delete', reason: 'older than keep-within', rule };
}

/** The oldest deletions, as many as a run may make. */
function limited(
  decisions: readonly Decision[],
  all: readonly Dated[],
  { maxDeletions }: RetentionPolicy,
  now: number,
): readonly Decision[] {
  const madeInADay = all.filter(({ at }) => at !== undefined && now - at < DAY).length;
  const limit = Math.max(maxDeletions, 2 * madeInADay);
  const oldest = decisions
    .filter(({ action }) => action === 'delete')
    .sort((a, b) => (a.backup.beganAt ?? 0) - (b.backup.beganAt ?? 0) || (a.backup.id < b.backup.id ? -1 : 1))
    .slice(0, limit);
  return decisions.map((decision) =>
    decision.action === 'keep' || oldest.includes(decision)
      ? decision
      : { ...decision, action: 'keep', reason: 'left for the next run: the limit of deletions is reached' },
  );
}

function ruleOf(backup: ListedBackup, rules: readonly RetentionRule[]): RetentionRule | undefined {
  for (const prefix of prefixesOf(backup.name, backup.instance_id)) {
    const rule = rules.find((one) => one.prefix === prefix);
    if (rule) return rule;
  }
  return undefined;
}

function settledAt({ beganAt, endedAt }: ListedBackup, now: number): number | undefined {
  if (beganAt === undefined || endedAt === undefined) return undefined;
  const at = Math.max(beganAt, endedAt);
  return at <= now ? at : undefined;
}

export interface ExpiredBackup {
  readonly backup: ListedBackup;
  readonly rule: RetentionRule;
  /** How many COMPLETED backups of its instance and rule stay. */
  readonly remaining: number;
}

export interface RetentionRun {
  readonly decisions: readonly Decision[];
  readonly expired: readonly ExpiredBackup[];
  /** Deletions that are left for the next run, and why. */
  readonly postponed: readonly { readonly backup: ListedBackup; readonly error: Failure }[];
}

export interface RetentionOptions {
  readonly dds: DdsClient;
  readonly timing: Timing;
  readonly policy: RetentionPolicy;
  readonly mode: 'report' | 'delete';
  readonly onUnreadable?: OnUnreadable;
  /** Called after each deletion. */
  readonly onExpired?: (expired: ExpiredBackup) => Promise<void>;
}

/** How long a deletion may take until the backup is gone from the list. */
const MAX_DELETION = 2 * 60 * SECOND;
/** With less time left, no deletion is begun. */
const MIN_DELETION = 10 * SECOND;
const POLL = 3 * SECOND;

/**
 * Plans for all instances, and in the mode `delete` deletes. Before each deletion the instance is listed and planned
 * again, so that what changed meanwhile counts. A busy instance and a backup that a restore uses are left for the next
 * run.
 * @param time when the run was scheduled: the earlier of it and the clock is "now"
 * @throws Failure `UpstreamInvalid` when DDS lists no instance; what `DdsClient` throws
 */
export type Retention = (time: Date, budget: Budget) => Promise<RetentionRun>;

export function retention({
  dds,
  timing,
  policy,
  mode,
  onUnreadable,
  onExpired = async () => {},
}: RetentionOptions): Retention {
  return async function run(time, budget) {
    const plan = async (query: ListBackupsQuery, skip?: OnUnreadable): Promise<readonly Decision[]> => {
      const instances = await collect(dds.listInstances({}, budget, skip));
      if (instances.length === 0) throw new Failure('UpstreamInvalid', 'DDS lists no instance. Nothing is deleted.');
      const backups = await collect(dds.listBackups(query, budget, skip));
      return planRetention({ backups, instances }, policy, ddsNow(time));
    };

    const decisions = await plan({}, onUnreadable);
    const expired: ExpiredBackup[] = [];
    const postponed: { backup: ListedBackup; error: Failure }[] = [];
    const due = mode === 'delete' ? decisions.filter(({ action }) => action === 'delete') : [];
    for (const { backup } of due) {
      // What is left is due in the next run too.
      if (budget.timeLeft() < MIN_DELETION) break;
      const again = await plan({ instance_id: backup.instance_id });
      const current = again.find((one) => one.backup.id === backup.id);
      if (current?.action !== 'delete' || !current.rule) continue;
      const error = await remove(backup, budget);
      if (error) postponed.push({ backup, error });
      else {
        const gone = { backup, rule: current.rule, remaining: remainingAfter(again, backup, current.rule) };
        expired.push(gone);
        await onExpired(gone);
      }
    }
    return { decisions, expired, postponed };
  };

  /** "Now" by DDS's clock. */
  function ddsNow(time: Date): number {
    const { atLeast } = dds.clockOffset();
    return Math.min(time.getTime(), timing.now().getTime()) + Math.min(0, atLeast);
  }

  /** Deletes a backup and waits until it is gone. Returns why it may still be there. */
  async function remove({ id }: ListedBackup, budget: Budget): Promise<Failure | undefined> {
    const deleted = await dds.deleteBackup(id, budget);
    const refusal = 'refusal' in deleted && deleted.refusal.name !== 'BackupNotFound' ? deleted.refusal : undefined;
    if (refusal && 'refusal' in deleted && !deleted.outcomeUnknown) return refusal;
    const end = timing.now().getTime() + MAX_DELETION;
    for (;;) {
      const [listed] = await collect(dds.listBackups({ backup_id: id }, budget));
      if (!listed || listed.id !== id) return undefined;
      if (listed.status !== 'DISABLED' && refusal) return refusal;
      if (timing.now().getTime() + POLL > end || budget.timeLeft() < POLL)
        return new Failure('InstanceBusy', `Backup ${id} is still ${listed.status} after its deletion.`);
      await timing.wait(POLL);
    }
  }
}

const remainingAfter = (decisions: readonly Decision[], gone: ListedBackup, rule: RetentionRule): number =>
  decisions.filter(
    ({ backup, rule: other }) =>
      other === rule &&
      backup.id !== gone.id &&
      backup.instance_id === gone.instance_id &&
      backup.status === 'COMPLETED',
  ).length;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
