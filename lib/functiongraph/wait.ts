/** Retries inside the invocation: FunctionGraph has no durable functions, but its asynchronous calls may run for hours. */
import type { Result } from '../backup/create.ts';
import { validRequest } from '../backup/request.ts';
import { pauseAfter } from '../backup/retry-policy.ts';
import { DdsError } from '../dds/errors.ts';
import { Failure } from '../errors.ts';
import { describeError, log } from '../service/log.ts';
import type { BusEvent, EventDescription, Invocation } from '../service/ports.ts';
import type { Service, TimeLeft } from '../service/service.ts';
import { SECOND, type Timing } from '../time.ts';
import type { EventPart } from './sources.ts';

const DEFAULT_MAX_WAIT_SECONDS = '3600';
/** Kept of the invocation for the last attempt and its end. */
const RESERVE = 90 * SECOND;
/** One attempt, with the retries of its requests, so that it does not use up the whole invocation. */
const ATTEMPT = 60 * SECOND;

/**
 * Creates the backup that a part of an event asks for, and retries until it is decided, `MAX_WAIT_SECONDS` (3600) or the
 * invocation's time is over, or the deadline has passed. What is not decided by then fails; a repeated delivery, even one
 * at the same time, makes no second backup.
 * @throws the last failure
 */
export async function createAndWait(
  service: Service,
  { description, parse }: EventPart,
  invocation: Invocation,
): Promise<Result> {
  const { timing, env } = service;
  const firstDelivery = timing.now();
  const { request, trigger } = parse();
  const event = { request: validRequest(request), trigger };
  const maxWait = Number(env.MAX_WAIT_SECONDS || DEFAULT_MAX_WAIT_SECONDS) * SECOND;
  if (!(maxWait >= 0))
    throw new Failure('ConfigurationError', 'Configuration: MAX_WAIT_SECONDS must be a number of seconds.');
  const end = Math.min(
    firstDelivery.getTime() + maxWait,
    timing.now().getTime() + invocation.getRemainingTimeInMillis() - RESERVE,
    service.deadlineOf(event, firstDelivery).getTime(),
  );

  let outcomeUnknown = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return await service.create(event, attemptOf(invocation, timing), undefined, { firstDelivery, outcomeUnknown });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      outcomeUnknown ||= error.outcomeUnknown;
      const dds = error instanceof DdsError ? error : undefined;
      const failed = {
        retry: error.retry,
        isAmbiguous: dds?.isAmbiguous ?? false,
        retryAfterMillis: dds?.retryAfterMillis,
      };
      const now = timing.now();
      const pause = pauseAfter(failed, attempt, { firstDelivery, deadline: new Date(end), now });
      if (pause === undefined) throw error;
      const next_attempt = new Date(now.getTime() + pause).toISOString();
      const about = { ...description, ...describeError(error), next_attempt, not_after: new Date(end).toISOString() };
      log('info', { event: 'request.deferred', ...about, attempt: attempt + 1 });
      if (attempt === 0) {
        const detail = { id: `${idOf(description, invocation)}-deferred`, ...about };
        await publishOnce(service, { type: 'DDS Backup Request Deferred', time: now, detail });
      }
      await timing.wait(pause);
    }
  }
}

/** What of an invocation an attempt that begins now may use. */
function attemptOf(invocation: Invocation, { now }: Timing): TimeLeft {
  const end = now().getTime() + ATTEMPT;
  return { getRemainingTimeInMillis: () => Math.min(end - now().getTime(), invocation.getRemainingTimeInMillis()) };
}

/** The same for every delivery, where the event has an identity. */
export const idOf = ({ idempotency_key }: EventDescription, { awsRequestId }: Invocation): string =>
  idempotency_key ?? awsRequestId;

/** Where the topic does not take an event, the log has it. */
export async function publishOnce({ publish }: Service, event: BusEvent): Promise<void> {
  await publish([event]).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    log('error', { event: 'publish.failed', ...event.detail, ...describeError(error) });
  });
}
