/** The use case: one trigger, one backup. DDS keeps names unique, so DDS itself is the ledger. */
import type { DdsClient } from '../dds/client.ts';
import { DdsError } from '../dds/dds-error.ts';
import { Failure } from '../failure.ts';
import { backupName } from './name.ts';
import { type Patience, persist } from './persist.ts';
import { earliestBegin, findByName, isWanted } from './recognise.ts';
import type { Trigger } from './trigger.ts';
import type { BackupRequest } from './validate-request.js';

export const MAY_BE_THERE =
  'The backup may have been accepted all the same: repeat the request with the same name or id.';

export interface BackupCreatorOptions extends Pick<Patience, 'random' | 'wait'> {
  readonly dds: DdsClient;
  readonly now: () => Date;
  /** How long one attempt may take. */
  readonly attemptMillis: number;
  /** How long before the invocation ends the answer must be there. */
  readonly reserveMillis: number;
}

/** How long the invocation still has, and whether it is the trigger's first. */
export interface Delivery {
  readonly remainingMillis: () => number;
  readonly signal?: AbortSignal | undefined;
  /** When the trigger's first delivery began, or earlier; without it this one is the first. */
  readonly firstBegan?: Date | undefined;
}

interface Created {
  readonly backup_id: string;
  readonly name: string;
  /** How often DDS was asked to create it. */
  readonly attempts: number;
}

/** DDS took the backup in: its answer, and that verbatim. */
export interface Accepted extends Created {
  readonly kind: 'accepted';
  readonly job_id: string;
  readonly status: number;
  readonly text: string;
}

/** The backup was there already, from an earlier delivery of the same trigger. DDS does not tell its job again. */
export interface Recognised extends Created {
  readonly kind: 'recognised';
}

export function backupCreator({ dds, now, random, wait, attemptMillis, reserveMillis }: BackupCreatorOptions) {
  /**
   * Asks DDS for the backup, again while that may help and there is time: a name can exist only once, so asking twice
   * makes no second one. Where DDS says that the name is taken or the instance busy, an earlier delivery of the same
   * trigger may be why, and where it refuses after an answer was lost, that attempt may have been accepted: then the
   * backup that is there is the answer.
   * @throws DdsError, Failure: see the DDS client; `backup` on it tells the name and the number of attempts. After
   * `UpstreamTimeout`, `UpstreamUnreachable` and `UpstreamInvalid` the backup may be there all the same: the same
   * trigger delivered again finds it.
   */
  return async function createBackup(
    { backup }: BackupRequest,
    trigger: Trigger,
    { remainingMillis, signal, firstBegan }: Delivery,
  ): Promise<Accepted | Recognised> {
    const { instance_id, description } = backup;
    const name = backupName(backup, trigger);
    const wanted = { instance_id, name, ...(description !== undefined && { description }) };
    const began = firstBegan ?? now();
    let attempts = 0;

    const timeLeft = () => remainingMillis() - reserveMillis;
    const limits = () => ({ timeoutMillis: Math.max(1, Math.min(attemptMillis, timeLeft())), signal });
    const patience = { timeLeft, signal, wait, random };

    // Whether an attempt may have had its effect although its answer does not say so.
    let unsure = false;
    const submit = async () => {
      attempts += 1;
      try {
        return await dds.createBackup({ backup: wanted }, limits);
      } catch (error) {
        unsure ||= isUnsure(error);
        throw error;
      }
    };
    const find = () => findByName(dds, wanted, now(), trigger.time ?? firstBegan, limits);

    try {
      const { job_id, backup_id, status, text } = await persist(submit, patience);
      return { kind: 'accepted', job_id, backup_id, status, text, name, attempts };
    } catch (refusal) {
      try {
        if (!(refusal instanceof DdsError) || !(unsure || mayBeThere(refusal))) throw refusal;
        const found = await persist(find, patience).catch((error: unknown) => {
          if (!unsure) throw error;
          throw isUnsure(refusal) ? refusal : notSeen(error);
        });
        const since = backup.name === undefined ? undefined : earliestBegin(trigger, began);
        if (found && isWanted(found, wanted, since)) return { kind: 'recognised', backup_id: found.id, name, attempts };
        if (found?.status === 'FAILED')
          refusal.message += ' That backup FAILED and keeps its name until it is deleted.';
        throw refusal;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (isUnsure(error)) error.message += ` ${MAY_BE_THERE}`;
        error.backup = { name, attempts };
        throw error;
      }
    }
  };
}

/** The refusals that an earlier delivery of the same trigger would explain. */
const mayBeThere = ({ meaning }: DdsError): boolean => ['taken', 'busy', 'ambiguous'].includes(meaning);

const isUnsure = (error: unknown): boolean =>
  error instanceof DdsError ? error.meaning === 'unavailable' : error instanceof Failure && error.isOfUpstream;

const notSeen = (error: unknown): unknown =>
  error instanceof Failure
    ? new Failure('UpstreamTimeout', `An answer was lost, and the list of backups cannot be read: ${error.message}`, {
        cause: error,
      })
    : error;
