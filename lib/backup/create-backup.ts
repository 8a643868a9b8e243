/** The use case: one trigger, one backup. DDS keeps names unique, so DDS itself is the ledger. */
import type { DdsClient } from '../dds/client.ts';
import { DdsError } from '../dds/dds-error.ts';
import type { Backup } from '../dds/types.ts';
import { Failure } from '../failure.ts';
import { derivedName } from './name.ts';
import type { Trigger } from './trigger.ts';
import type { BackupRequest } from './validate-request.js';

const DAY = 24 * 60 * 60 * 1000;
/** DDS tells times to the second, and its clock is not ours. */
const CLOCK_TOLERANCE = 2000;
const BACKOFF = { base: 200, cap: 5000 };
export const MAY_BE_THERE =
  'The backup may have been accepted all the same: repeat the request with the same name or id.';
/** Less time than this is not worth another attempt. */
const SHORTEST_ATTEMPT = 250;

export interface BackupCreatorOptions {
  readonly dds: DdsClient;
  readonly now: () => Date;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly wait: (millis: number) => Promise<void>;
  /** How long one attempt may take. */
  readonly attemptMillis: number;
  /** How long before the invocation ends the answer must be there. */
  readonly reserveMillis: number;
}

/** How long the invocation still has. */
export interface Deadline {
  readonly remainingMillis: () => number;
  readonly signal?: AbortSignal;
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

export type CreateBackup = ReturnType<typeof backupCreator>;

export function backupCreator({ dds, now, random, wait, attemptMillis, reserveMillis }: BackupCreatorOptions) {
  /**
   * Asks DDS for the backup, again while it is throttled, faulty or silent and there is time. A repeated request is
   * safe: a name can exist only once.
   * @throws DdsError, Failure: see the DDS client; `backup` on it tells the name and the number of attempts. After
   * `UpstreamTimeout`, `UpstreamUnreachable` and `UpstreamInvalid` the backup may be there all the same: the same
   * trigger delivered again finds it.
   */
  return async function createBackup(
    { backup }: BackupRequest,
    trigger: Trigger,
    { remainingMillis, signal }: Deadline,
  ): Promise<Accepted | Recognised> {
    const wanted = {
      instance_id: backup.instance_id,
      name: backup.name ?? derivedName(backup.name_prefix ?? '', trigger, backup.instance_id),
      ...(backup.description !== undefined && { description: backup.description }),
    };
    const derived = backup.name === undefined;
    const began = now();
    let attempts = 0;

    const timeLeft = () => remainingMillis() - reserveMillis;
    const limits = () => ({ timeoutMillis: Math.max(1, Math.min(attemptMillis, timeLeft())), signal });

    async function persistently<T>(call: () => Promise<T>): Promise<T> {
      let ambiguous = 0;
      for (let failures = 0; ; failures++) {
        try {
          return await call();
        } catch (error) {
          if (isAmbiguous(error)) ambiguous += 1;
          if (!mayPass(error) || ambiguous > 1) throw error;
          const jitter = random() * Math.min(BACKOFF.cap, BACKOFF.base * 2 ** failures);
          const pause = retryAfterMillis(error) + jitter;
          if (signal?.aborted || pause + SHORTEST_ATTEMPT > timeLeft()) throw error;
          await wait(pause);
        }
      }
    }

    const submit = () => {
      attempts += 1;
      return dds.createBackup({ backup: wanted }, limits());
    };

    const findByName = async (): Promise<Backup | undefined> => {
      const listed = dds.listBackups(
        {
          instance_id: wanted.instance_id,
          backup_type: 'Manual',
          begin_time: ddsTime(trigger.time ? trigger.time.getTime() - CLOCK_TOLERANCE : now().getTime() - DAY),
          end_time: ddsTime(now().getTime() + DAY),
        },
        limits,
      );
      for await (const found of listed) if (found.name === wanted.name) return found;
      return undefined;
    };

    const isOwn = (found: Backup): boolean =>
      (found.status === 'BUILDING' || found.status === 'COMPLETED') &&
      found.instance_id === wanted.instance_id &&
      (found.description ?? '') === (wanted.description ?? '') &&
      (derived || Date.parse(`${found.begin_time}Z`) >= (trigger.time ?? began).getTime() - CLOCK_TOLERANCE);

    try {
      try {
        const { job_id, backup_id, status, text } = await persistently(submit);
        return { kind: 'accepted', job_id, backup_id, status, text, name: wanted.name, attempts };
      } catch (refusal) {
        if (!mayBeThere(refusal)) throw refusal;
        const found = await persistently(findByName);
        if (found && isOwn(found)) return { kind: 'recognised', backup_id: found.id, name: found.name, attempts };
        if (found?.status === 'FAILED')
          refusal.message += ' That backup FAILED and keeps its name until it is deleted.';
        throw refusal;
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (isUpstream(error)) error.message += `. ${MAY_BE_THERE}`;
      error.backup = { name: wanted.name, attempts };
      throw error;
    }
  };
}

/** Whether it is worth asking again; after an ambiguous refusal it is only once. */
const mayPass = (error: unknown): boolean =>
  error instanceof DdsError
    ? ['throttled', 'unavailable', 'ambiguous'].includes(error.meaning)
    : error instanceof Failure && isUpstream(error);

const isAmbiguous = (error: unknown): boolean => error instanceof DdsError && error.meaning === 'ambiguous';

const isUpstream = ({ name }: Failure): boolean => name.startsWith('Upstream');

/** The refusals that an earlier delivery of the same trigger would explain. */
const mayBeThere = (error: unknown): error is DdsError =>
  error instanceof DdsError && ['taken', 'busy', 'ambiguous'].includes(error.meaning);

const retryAfterMillis = (error: unknown): number => (error instanceof DdsError ? (error.retryAfter ?? 0) * 1000 : 0);

/** `yyyy-mm-dd hh:mm:ss` in UTC. */
const ddsTime = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');
