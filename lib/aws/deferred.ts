/**
 * The retries of a request in a durable execution. What a step returned is kept; everything else runs again whenever the
 * execution goes on: https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
 */
import type { DurableContext } from '@aws/durable-execution-sdk-js';
import { type BackupIds, idsOf } from '../backup/create.ts';
import { type FailedAttempt, pauseAfter } from '../backup/retry-policy.ts';
import { DdsError } from '../dds/errors.ts';
import { Failure } from '../errors.ts';
import { describeError, log, logFailure, logRejected, logResult } from '../service/log.ts';
import type { BusEvent, ErrorDescription } from '../service/ports.ts';
import type { Service } from '../service/service.ts';
import { HOUR, SECOND } from '../time.ts';
import { type DeferredRequest, describeRecord, parseRecord, type RecordDescription } from './destination-record.ts';
import { describeHandedOver, isHandedOver, parseHandedOver } from './handover.ts';

/** An execution that is under way finds its past by these names: do not change them. */
const OPERATIONS = {
  crash: 'log-crash',
  deferral: 'publish-deferral',
  pause: (attempt: number) => `pause-${attempt}`,
  attempt: (attempt: number) => `attempt-${attempt}`,
  rejection: 'publish-rejection',
} as const;

const MAX_PUBLISH_ATTEMPTS = 4;
/**
 * An attempt that begins later than this after the deadline does not ask DDS any more. It comes so late only where every
 * invocation before it was killed, by a crash or by Lambda's time-out.
 */
const MAX_OVERTIME = HOUR;

/** The end of a request that is not retried any more. */
interface Rejection {
  readonly error: ErrorDescription;
  /** How often it was tried, the first failed invocation included. */
  readonly attempts: number;
}

/** An attempt after which another is to be made. */
interface Postponed {
  readonly pauseSeconds: number;
  readonly outcomeUnknown: boolean;
}

/**
 * Retries the request of a destination record, or of `http`, until DDS accepts it, or never will, or its deadline has
 * passed.
 * @returns the ids of the backup
 * @throws an error with the name and the message of the last failure, once that is published
 */
export function deferral(service: Service) {
  return async (record: unknown, context: DurableContext): Promise<BackupIds> => {
    const parsed = parse(record);
    const end = 'attempts' in parsed ? parsed : await retryUntilDecided(parsed, context);
    if ('backup_id' in end) return end;
    const description = 'description' in parsed ? parsed.description : describe(record);
    await publishRejection(end, description, context);
    throw rejectionError(end, description);
  };

  async function retryUntilDecided(request: DeferredRequest, context: DurableContext): Promise<BackupIds | Rejection> {
    if (request.retry === 'never') return { error: request.error, attempts: 1 };
    if (request.isCrash) {
      const { description, error } = request;
      await context.step(OPERATIONS.crash, async () => logRejected(description, error));
    }
    let { outcomeUnknown } = request;
    const started = await context.step(OPERATIONS.deferral, () => publishDeferral(request, context));
    let { pauseSeconds } = started;
    for (let attempt = 1; ; attempt++) {
      if (pauseSeconds > 0) await context.wait(OPERATIONS.pause(attempt), { seconds: pauseSeconds });
      const next = { ...request, outcomeUnknown, startedAt: new Date(started.startedAt) };
      const attempted = await context.step(OPERATIONS.attempt(attempt), () => tryOnce(next, attempt, context));
      if (!('pauseSeconds' in attempted)) return attempted;
      ({ pauseSeconds } = attempted);
      outcomeUnknown ||= attempted.outcomeUnknown;
    }
  }

  /** Whoever waits for the backup hears once that it comes later. Where the bus does not take that, the log has it. */
  async function publishDeferral(
    { event, description, firstDelivery, error, retry }: DeferredRequest,
    { executionContext }: DurableContext,
  ): Promise<{ readonly pauseSeconds: number; readonly startedAt: string }> {
    const now = service.timing.now();
    const startedAt = now.toISOString();
    try {
      const deadline = service.deadlineOf(event, firstDelivery);
      const pause = pauseAfter({ retry, isAmbiguous: false }, 0, { firstDelivery, deadline, now }) ?? 0;
      const next_attempt = new Date(now.getTime() + pause).toISOString();
      const id = `${executionContext.durableExecutionArn}-deferred`;
      const detail = { id, ...description, ...error, next_attempt, not_after: deadline.toISOString() };
      await service
        .publish([{ type: 'DDS Backup Request Deferred', time: now, detail }])
        .catch((cause) => logPublishFailed(description, cause));
      return { pauseSeconds: Math.ceil(pause / SECOND), startedAt };
    } catch (cause) {
      // The configuration is wrong: the attempt says so.
      if (cause instanceof Failure) return { pauseSeconds: 0, startedAt };
      throw cause;
    }
  }

  async function tryOnce(
    request: DeferredRequest & { readonly startedAt: Date },
    attempt: number,
    context: DurableContext,
  ): Promise<BackupIds | Rejection | Postponed> {
    const { event, description, firstDelivery } = request;
    const began = service.timing.now();
    const about = () => ({ ...description, duration_ms: service.timing.now().getTime() - began.getTime() });
    let deadline = firstDelivery;
    try {
      deadline = service.deadlineOf(event, firstDelivery);
      // A record may come long after its deadline: its first attempt looks the backup up.
      const overtimeFrom = Math.max(deadline.getTime(), request.startedAt.getTime());
      if (began.getTime() > overtimeFrom + MAX_OVERTIME)
        throw new Failure('OutcomeUnknown', 'Every attempt was ended from outside until the deadline had passed.');
      const result = await service.create(event, context.lambdaContext, undefined, request);
      logResult(about(), result);
      return idsOf(result);
    } catch (error) {
      const now = service.timing.now();
      const pause = pauseAfter(failedAttempt(error), attempt, { firstDelivery, deadline, now });
      const described = describeError(error);
      if (pause === undefined) return { error: described, attempts: 1 + attempt };
      // An unexpected error is for the operator, even if the next attempt succeeds.
      if (!(error instanceof Failure)) logFailure(about(), error);
      const next_attempt = new Date(now.getTime() + pause).toISOString();
      log('info', { event: 'request.deferred', ...about(), ...described, attempt, next_attempt });
      const outcomeUnknown = !(error instanceof Failure) || error.outcomeUnknown;
      return { pauseSeconds: Math.ceil(pause / SECOND), outcomeUnknown };
    }
  }

  /** Publishes the end of a request. Where the bus does not take it, the log and the dead-letter queue have it. */
  async function publishRejection(
    rejection: Rejection,
    description: RecordDescription,
    context: DurableContext,
  ): Promise<void> {
    const { durableExecutionArn } = context.executionContext;
    const publishOnce = async ({ attempt }: { attempt: number }): Promise<void> => {
      if (attempt === 1) logRejected({ ...description, attempts: rejection.attempts }, rejection.error);
      try {
        await service.publish([requestFailed(durableExecutionArn, service.timing.now(), description, rejection)]);
      } catch (error) {
        logPublishFailed(description, error);
        throw error;
      }
    };
    const retryStrategy = (_: Error, attempt: number) => ({
      shouldRetry: attempt < MAX_PUBLISH_ATTEMPTS,
      delay: { seconds: 4 ** attempt },
    });
    await context.step(OPERATIONS.rejection, publishOnce, { retryStrategy }).catch(() => {});
  }
}

function parse(record: unknown): DeferredRequest | Rejection {
  try {
    return isHandedOver(record) ? parseHandedOver(record) : parseRecord(record);
  } catch (error) {
    if (error instanceof Failure) return { error: describeError(error), attempts: 1 };
    throw error;
  }
}

const describe = (record: unknown): RecordDescription =>
  isHandedOver(record) ? describeHandedOver(record) : describeRecord(record);

const logPublishFailed = (about: object, error: unknown): void =>
  log('error', { event: 'publish.failed', ...about, ...describeError(error) });

/** An error that is not ours may pass. */
const failedAttempt = (error: unknown): FailedAttempt => ({
  retry: error instanceof Failure ? error.retry : 'later',
  isAmbiguous: error instanceof DdsError && error.isAmbiguous,
  retryAfterMillis: error instanceof DdsError ? error.retryAfterMillis : undefined,
});

const NO_MESSAGE = 'An unexpected error. The log of the function has it.';

const requestFailed = (
  id: string,
  time: Date,
  description: RecordDescription,
  { error: { reason, message = NO_MESSAGE, dds_code, backup, project_id, region }, attempts }: Rejection,
): BusEvent => ({
  type: 'DDS Backup Request Failed',
  time,
  detail: {
    id,
    ...description,
    ...(project_id !== undefined && { project_id, region }),
    reason,
    message,
    dds_code,
    backup,
    attempts,
  },
});

/** What the execution fails with: Lambda keeps its name and its message. */
function rejectionError({ error, attempts }: Rejection, { since }: RecordDescription): Error {
  const { reason, message = NO_MESSAGE } = error;
  const failed = new Error(attempts > 1 ? `After ${attempts} attempts since ${since}: ${message}` : message);
  failed.name = reason;
  return failed;
}
