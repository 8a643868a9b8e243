/**
 * The use case: one trigger, one backup. DDS keeps names unique, so DDS is the ledger: asking twice for one name makes
 * one backup.
 */
import type { AcceptedBackup, DdsClient } from '../dds/client.ts';
import { DdsError } from '../dds/errors.ts';
import { type Budget, backoffMillis, MIN_ATTEMPT_MILLIS } from '../dds/retry.ts';
import { formatDdsTime } from '../dds/time.ts';
import type { ListBackupsQuery, ListedBackup } from '../dds/types.ts';
import { annotate, Failure, type KnownBackup } from '../errors.ts';
import { DAY, HOUR, isoSeconds, SECOND, type Timing } from '../time.ts';
import { ownershipOf } from './ownership.ts';
import { deadlineOf } from './retry-policy.ts';
import { backupNames, type Command } from './trigger.ts';

export interface CreateOptions {
  readonly dds: DdsClient;
  readonly timing: Timing;
  /** How long after its first delivery a request may still be submitted. */
  readonly maxRequestAgeMillis: number;
}

export interface Delivery extends Budget {
  /** The first delivery of the trigger that is known of: this one, where there is no earlier one. */
  readonly firstDelivery: Date;
  /** An earlier delivery may have made the backup although no answer said so. */
  readonly outcomeUnknown: boolean;
}

interface Created {
  readonly backup_id: string;
  readonly name: string;
  /** How often DDS was asked to create it. */
  readonly attempts: number;
}

/** DDS accepted the backup. Status and text are those of its answer. */
export interface Accepted extends Created, AcceptedBackup {
  readonly kind: 'accepted';
}

/** An earlier delivery of the trigger made the backup. DDS does not give its `job_id` again. */
export interface Replayed extends Created {
  readonly kind: 'replayed';
}

export type Result = Accepted | Replayed;

/** What a caller gets that is not an HTTP client. */
export interface BackupIds {
  readonly job_id?: string;
  readonly backup_id: string;
}

export const idsOf = (result: Result): BackupIds =>
  result.kind === 'accepted' ? { job_id: result.job_id, backup_id: result.backup_id } : { backup_id: result.backup_id };

/**
 * Creates the backup of a trigger, or finds the one that an earlier delivery made.
 * @throws DdsError, Failure: see `DdsClient`. `BackupNameTaken`: another backup has the name. `BackupFailed`: as many
 * backups of this trigger as may be made have FAILED. `DeadlinePassed`: too late, and no backup was made.
 * `OutcomeUnknown` and every other failure with `outcomeUnknown`: the backup may exist; the same trigger, delivered
 * again, finds it. The annotation has the name and the number of attempts.
 */
export type CreateBackup = (command: Command, delivery: Delivery) => Promise<Result>;

/** Said wherever the outcome is unknown. */
export const MAY_EXIST =
  'The backup may exist: repeat the request with the same idempotency key, or look for its name.';

/** A backup outside of the usual window is looked for again after so long, since the list may lag. */
const WIDE_SEARCH_INTERVAL = 10 * SECOND;

/**
 * What DDS's list says of a name: `own` is of this trigger and BUILDING or COMPLETED, `failed` is of this trigger and may
 * be followed by the next attempt, `changing` is of this trigger and being deleted, `taken` is of another one.
 */
type Found =
  | { readonly kind: 'own' | 'failed' | 'taken' | 'undecided' | 'changing'; readonly backup: ListedBackup }
  /** No backup has the name. Unless `isComplete`, a record that could not be read may be it. */
  | { readonly kind: 'absent'; readonly isComplete: boolean }
  | { readonly kind: 'unread'; readonly cause: Failure };

/** All backups of the trigger so far have FAILED. */
interface Failed {
  readonly kind: 'failed';
  readonly backup: ListedBackup;
  readonly attempts: number;
}

export function backupCreator({ dds, timing, maxRequestAgeMillis }: CreateOptions): CreateBackup {
  async function createBackup(command: Command, delivery: Delivery): Promise<Result> {
    let failed: Failed | undefined;
    for (const name of backupNames(command)) {
      // An answer that an earlier delivery lost may be of any of the names.
      const tried = await tryName(name, command, delivery, failed?.attempts ?? 0);
      if (tried.kind !== 'failed') return tried;
      failed = tried;
    }
    const failure = new Failure(
      'BackupFailed',
      `${failed?.backup.name} and all earlier backups of this trigger FAILED.`,
    );
    throw annotate(failure, { attempts: failed?.attempts ?? 0, ...(failed && knownAs(failed.backup)) });
  }

  /** Submits under one name, and looks it up where the answer leaves open whose backup there is, until that is clear. */
  async function tryName(
    name: string,
    command: Command,
    delivery: Delivery,
    attemptsBefore: number,
  ): Promise<Result | Failed> {
    const deadline = deadlineOf(command, delivery.firstDelivery, maxRequestAgeMillis);
    let attempts = attemptsBefore;
    let isAnswerLost = false;
    let searchedWideAt = Number.NEGATIVE_INFINITY;
    // DDS said that the name is taken, and listed no backup that has it.
    let isUnexplained = false;
    for (let round = 0; ; round++) {
      // A request whose answer was lost a moment ago may still take effect.
      if (timing.now() > deadline)
        return lookUpOnly(command, delivery, attempts, { mayAppear: isUnexplained || isAnswerLost, isUnexplained });

      const submitted = await submit(name, command, delivery, deadline);
      attempts += submitted.attempts;
      if ('answer' in submitted) return { kind: 'accepted', ...submitted.answer, name, attempts };
      const { refusal } = submitted;
      isAnswerLost ||= submitted.outcomeUnknown;
      const outcomeUnknown = isAnswerLost || delivery.outcomeUnknown;

      if (!outcomeUnknown && !mayBeOwn(refusal)) throw annotate(refusal, { name, attempts });
      const now = timing.now().getTime();
      const isWide: boolean = isTaken(refusal) && now >= searchedWideAt + WIDE_SEARCH_INTERVAL;
      const found = await lookUp([name], command, delivery, isWide);
      if (isWide) searchedWideAt = now;
      if (found.kind === 'own') return { kind: 'replayed', backup_id: found.backup.id, name, attempts };
      if (found.kind === 'failed') return { kind: 'failed', backup: found.backup, attempts };

      const isOpen = outcomeUnknown || isTaken(refusal);
      const mayLag = found.kind === 'absent' && isOpen && mayBeOwn(refusal);
      const pause = backoffMillis(round, timing.random);
      if (!mayLag || delivery.signal?.aborted || pause + MIN_ATTEMPT_MILLIS > delivery.timeLeft())
        throw annotate(explain(found, refusal, isOpen), { name, attempts });
      isUnexplained ||= isTaken(refusal);
      await timing.wait(pause);
    }
  }

  function submit(name: string, command: Command, delivery: Delivery, deadline: Date) {
    const { instance_id, description } = command.request.backup;
    const lastAttemptIn = () => deadline.getTime() - timing.now().getTime();
    const backup = { instance_id, name, ...(description !== undefined && { description }) };
    return dds.submitBackup({ backup }, { ...delivery, lastAttemptIn });
  }

  /**
   * Looks for the first of the names that is not of a backup that FAILED: among the instance's backups since the day
   * before the trigger, and in a wide search among all of the instance and then all of the project.
   */
  async function lookUp(
    names: readonly string[],
    command: Command,
    delivery: Delivery,
    isWide: boolean,
  ): Promise<Found> {
    const { instance_id } = command.request.backup;
    const recent: ListBackupsQuery = { instance_id, backup_type: 'Manual', ...windowOf(command, delivery) };
    let isComplete = true;
    const onUnreadable = () => {
      isComplete = false;
    };
    try {
      for (const query of isWide ? [recent, { instance_id }, {}] : [recent]) {
        const holders = new Map<string, ListedBackup>();
        for await (const backup of dds.listBackups(query, delivery, onUnreadable)) {
          if (names.includes(backup.name)) holders.set(backup.name, backup);
          if (holders.size === names.length) break;
        }
        const found = names
          .flatMap((name) => holders.get(name) ?? [])
          .map((backup) => judge(backup, command, delivery));
        const decisive = found.find(({ kind }) => kind !== 'failed') ?? found.at(-1);
        if (decisive) return decisive;
      }
    } catch (cause) {
      if (cause instanceof Failure) return { kind: 'unread', cause };
      throw cause;
    }
    return { kind: 'absent', isComplete };
  }

  function windowOf({ trigger }: Command, { firstDelivery }: Delivery) {
    const now = timing.now().getTime();
    const triggered = Math.min((trigger.time ?? firstDelivery).getTime(), firstDelivery.getTime(), now);
    // An hour more than a day, since DDS's clock may be off.
    return { begin_time: formatDdsTime(triggered - DAY - HOUR), end_time: formatDdsTime(now + DAY) };
  }

  function judge(backup: ListedBackup, command: Command, { firstDelivery }: Delivery): Found {
    const isGiven = command.request.backup.name !== undefined;
    // Only a derived name has a successor: whoever made it, a given one is taken.
    if (isGiven && backup.status === 'FAILED') return { kind: 'taken', backup };
    const ownership = ownershipOf(backup, command, firstDelivery, dds.clockOffset());
    if (ownership === 'other') return { kind: 'taken', backup };
    if (ownership === 'undecided') return { kind: 'undecided', backup };
    if (backup.status === 'BUILDING' || backup.status === 'COMPLETED') return { kind: 'own', backup };
    return { kind: backup.status === 'FAILED' ? 'failed' : 'changing', backup };
  }

  /** Too late to submit anything: all that is left is to find the backup that an earlier delivery made. */
  async function lookUpOnly(
    command: Command,
    delivery: Delivery,
    attempts: number,
    { mayAppear, isUnexplained }: { readonly mayAppear: boolean; readonly isUnexplained: boolean },
  ): Promise<Result> {
    const names = backupNames(command);
    const found = await lookUp(names, command, delivery, isUnexplained);
    if (found.kind === 'own')
      return { kind: 'replayed', backup_id: found.backup.id, name: found.backup.name, attempts };
    const [name = ''] = names;
    const mayBeThere = found.kind === 'absent' && (mayAppear || !found.isComplete);
    if (found.kind === 'undecided' || found.kind === 'unread' || mayBeThere)
      throw annotate(explain(found, undefined, true), { name, attempts });
    const failure = new Failure(
      'DeadlinePassed',
      'It is too late to make this backup, and DDS lists none of this trigger that is BUILDING or COMPLETED.',
    );
    throw annotate(failure, { name, attempts, ...('backup' in found && knownAs(found.backup)) });
  }

  return createBackup;
}

/** The refusals that a backup of the same trigger may be the cause of. */
const mayBeOwn = (refusal: Failure): boolean =>
  isTaken(refusal) || refusal.name === 'InstanceBusy' || (refusal instanceof DdsError && refusal.isAmbiguous);

const isTaken = ({ name }: Failure): boolean => name === 'BackupNameTaken';

/**
 * The error that says what is known.
 * @param isOpen the backup may exist unless the list explains the refusal
 */
function explain(found: Found, refusal: Failure | undefined, isOpen: boolean): Failure {
  switch (found.kind) {
    case 'taken': {
      const taken = refusal && isTaken(refusal) ? refusal : new Failure('BackupNameTaken', 'The name is taken.');
      const { id, instance_id, status } = found.backup;
      return annotate(
        taken,
        knownAs(found.backup),
        `Backup ${id} of instance ${instance_id} has the name; it is ${status}.`,
      );
    }
    case 'changing': {
      const { id, status } = found.backup;
      const failure = new Failure('InstanceBusy', `Backup ${id} of this trigger is ${status}. Try again later.`);
      return annotate(failure, knownAs(found.backup));
    }
    case 'undecided': {
      const text = `Backup ${found.backup.id} has the name. DDS's clock leaves open whether it is of this trigger.`;
      return annotate(new Failure('OutcomeUnknown', text), knownAs(found.backup), MAY_EXIST);
    }
    default: {
      if (refusal && !isOpen) return refusal;
      if (refusal?.outcomeUnknown) return annotate(refusal, {}, MAY_EXIST);
      const cause = found.kind === 'unread' ? found.cause : refusal;
      const what = found.kind === 'unread' ? 'The list of backups cannot be read' : 'The list does not show the backup';
      const why = cause ? `: ${cause.message}` : '.';
      return annotate(new Failure('OutcomeUnknown', `${what}${why}`, { cause }), {}, MAY_EXIST);
    }
  }
}

const knownAs = ({ id, name, instance_id, status, beganAt }: ListedBackup): { readonly backup: KnownBackup } => ({
  backup: { id, name, instance_id, status, ...(beganAt !== undefined && { began_at: isoSeconds(beganAt) }) },
});
