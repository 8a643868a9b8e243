/** Hands a request that cannot be fulfilled now over to `deferred`, for callers that do not wait for the answer. */
import { MAY_EXIST, type Result } from '../backup/create.ts';
import { backupNames, commandOf, type ValidEvent } from '../backup/trigger.ts';
import { annotate, Failure } from '../errors.ts';
import { SECOND } from '../time.ts';
import { describeError } from './log.ts';
import type { Deferred, Invocation } from './ports.ts';
import type { Service, TimeLeft } from './service.ts';

/** Kept of the invocation, so that a request can still be handed over when DDS has not answered. */
export const HANDOVER_MILLIS = 5 * SECOND;

/**
 * Creates the backup, or hands the request over when that may succeed later.
 * @throws Failure: what `CreateBackup` throws and no retry mends; `OutcomeUnknown` when it is not known whether the
 * request was handed over
 */
export function createOrDefer({ timing, create, deadlineOf, handover }: Service) {
  return async (event: ValidEvent, invocation: Invocation, signal?: AbortSignal): Promise<Result | Deferred> => {
    const firstDelivery = timing.now();
    const shortened: TimeLeft = {
      getRemainingTimeInMillis: () => invocation.getRemainingTimeInMillis() - HANDOVER_MILLIS,
    };
    try {
      return await create(event, shortened, signal, { firstDelivery, outcomeUnknown: false });
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
      const { instance_id } = event.request.backup;
      const [name = ''] = backupNames(commandOf(event));
      const deadline = deadlineOf(event, firstDelivery);
      const described = describeError(error);
      const { outcomeUnknown } = error;
      try {
        await handover({ event, firstDelivery, outcomeUnknown, error: described });
      } catch (cause) {
        const message = `It is not known whether the request for the backup ${name} was queued. First: ${error.message}`;
        const unknown = new Failure('OutcomeUnknown', message, { cause });
        throw annotate(unknown, { ...error.annotation, name }, MAY_EXIST);
      }
      return { kind: 'deferred', name, instance_id, not_after: deadline.toISOString(), error: described };
    }
  };
}
