/** An event that had to wait, in a durable execution: what a step returned is kept, and all else runs again. */
import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type { Environment } from '../config.ts';
import { codeIn } from '../dds/dds-error.ts';
import { Failure } from '../failure.ts';
import type { Announce } from './announce.ts';
import type { BackupService } from './backup-service.ts';
import { factsOf, readOriginal, readRecord } from './destination-record.ts';
import { log, logCreated, logNotCreated, reasonOf } from './log.ts';
import { ids } from './outcome.ts';
import { firstBegan, isCrash, isPermanent, pauseSeconds, readPatience } from './patience.ts';
import { type Refusal, refusalAnnouncement, refusalError } from './refusal.ts';

/** Final: an execution that is under way when a name changes does not find its own past again, and fails. */
const OPERATIONS = {
  crash: 'report-crash',
  firstWait: 'first-wait',
  createBackup: 'create-backup',
  refusal: 'announce-refusal',
} as const;

const MOST_ANNOUNCEMENTS = 4;

type Ending = Refusal | ReturnType<typeof ids>;

/**
 * Tries the event of a destination record again until DDS takes it, or never will, or the patience is at its end.
 * @returns the ids of the backup
 * @throws an error with the name and the message of what refused it, once that is announced; what is no Failure as it is
 */
export function deferral(service: BackupService, announce: Announce, env: Environment) {
  /** @throws Failure before any step, when there is nothing to try */
  async function end(event: unknown, context: DurableContext): Promise<Ending> {
    const record = readRecord(event);
    const { error, endedAt } = record;
    if (error && isPermanent(error.name)) {
      return { reason: { error: error.name, message: error.message, dds_code: codeIn(error.message) }, attempts: 1 };
    }
    const facts = factsOf(event);
    const { request, trigger } = readOriginal(event, record);
    const lastMoment = endedAt.getTime() + readPatience(env);
    const began = firstBegan(record);

    if (error && isCrash(error.name)) {
      await context.step(OPERATIONS.crash, async () =>
        logNotCreated(facts, { error: error.name, request_id: record.requestId }),
      );
    }
    // The instance was busy a moment ago.
    await context.wait(OPERATIONS.firstWait, { seconds: pauseSeconds(0) });

    const attemptToCreate = async ({ attempt }: { attempt: number }): Promise<Ending> => {
      const startedAt = performance.now();
      const told = () => ({ ...facts, duration_ms: Math.round(performance.now() - startedAt) });
      try {
        const created = await service.createBackup(request, trigger, context.lambdaContext, undefined, began);
        logCreated(told(), created);
        return ids(created);
      } catch (error) {
        const reason = reasonOf(error);
        const next = new Date(service.now().getTime() + pauseSeconds(attempt, error) * 1000);
        // The end is a value: of an error only the name and the message would be kept.
        if (isPermanent(reason.error) || next.getTime() > lastMoment) return { reason, attempts: 1 + attempt };
        // Somebody should hear of it even if the next attempt succeeds.
        if (!(error instanceof Failure)) logNotCreated(told(), reason);
        log('info', { event: 'backup.deferred', ...told(), ...reason, attempt, next_attempt: next.toISOString() });
        throw error;
      }
    };
    return await context.step(OPERATIONS.createBackup, attemptToCreate, {
      retryStrategy: (error, attempt) => ({ shouldRetry: true, delay: { seconds: pauseSeconds(attempt, error) } }),
    });
  }

  /** Says it wherever somebody may hear it. Where the event bus does not, the log and the dead-letter queue do. */
  async function tell(refusal: Refusal, event: unknown, context: DurableContext): Promise<void> {
    const facts = factsOf(event);
    const { durableExecutionArn } = context.executionContext;
    const announceOnce = async ({ attempt }: { attempt: number }): Promise<void> => {
      if (attempt === 1) logNotCreated(facts, { ...refusal.reason, attempts: refusal.attempts });
      try {
        await announce([refusalAnnouncement(durableExecutionArn, service.now(), facts, refusal)]);
      } catch (error) {
        log('error', { ...facts, ...reasonOf(error), event: 'announcement.failed' });
        throw error;
      }
    };
    await context
      .step(OPERATIONS.refusal, announceOnce, {
        retryStrategy: (_, attempt) => ({
          shouldRetry: attempt < MOST_ANNOUNCEMENTS,
          delay: { seconds: 4 ** attempt },
        }),
      })
      .catch(() => {});
  }

  return async (event: unknown, context: DurableContext): Promise<ReturnType<typeof ids>> => {
    const ending = await end(event, context).catch(refusedAtOnce);
    if (!('reason' in ending)) return ending;
    await tell(ending, event, context);
    throw refusalError(ending, factsOf(event));
  };
}

function refusedAtOnce(error: unknown): Refusal {
  if (error instanceof Failure) return { reason: reasonOf(error), attempts: 1 };
  throw error;
}
