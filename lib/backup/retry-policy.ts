/** How long and how often a request is retried after its first delivery. */
import type { Retry } from '../errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import type { Command } from './trigger.ts';

/** Of a refusal that may or may not be for the instance's state, so that a wrong request does not wait for a day. */
const MAX_AMBIGUOUS_MILLIS = HOUR;
const PAUSE = { min: MINUTE, max: 15 * MINUTE };
/** The last attempt begins so long before the deadline. */
const LAST_ATTEMPT = 30 * SECOND;

/** The latest moment at which a backup may be submitted: `not_after`, or the maximum age of the request if earlier. */
export const deadlineOf = ({ notAfter }: Command, firstDelivery: Date, maxAgeMillis: number): Date =>
  new Date(Math.min(notAfter?.getTime() ?? Number.POSITIVE_INFINITY, firstDelivery.getTime() + maxAgeMillis));

/**
 * Whether it is too late to submit a backup: after the deadline, or for a trigger from so long ago that its backup may
 * have been made and deleted since.
 */
export const isLate = (command: Command, firstDelivery: Date, maxAgeMillis: number, now: Date): boolean =>
  now > deadlineOf(command, firstDelivery, maxAgeMillis) ||
  now.getTime() - (command.trigger.time?.getTime() ?? now.getTime()) > maxAgeMillis + DAY;

/** What an attempt of `deferred` failed with. */
export interface FailedAttempt {
  readonly retry: Retry;
  readonly isAmbiguous: boolean;
  /** What DDS asked for. */
  readonly retryAfterMillis?: number | undefined;
}

/**
 * How many milliseconds to pause after a failed attempt: 1, 2, 4, 8 and then 15 minutes, or as long as DDS asks for, at
 * most 15 minutes. The last pause is shortened, so that its attempt begins 30 seconds before the deadline.
 * @param failedAttempts from 0
 * @returns undefined where no further attempt is to be made
 */
export function pauseAfter(
  { retry, isAmbiguous, retryAfterMillis = 0 }: FailedAttempt,
  failedAttempts: number,
  { firstDelivery, deadline, now }: { readonly firstDelivery: Date; readonly deadline: Date; readonly now: Date },
): number | undefined {
  const ambiguousUntil = isAmbiguous ? firstDelivery.getTime() + MAX_AMBIGUOUS_MILLIS : Number.POSITIVE_INFINITY;
  const left = Math.min(deadline.getTime() - LAST_ATTEMPT, ambiguousUntil) - now.getTime();
  if (retry === 'never' || left <= 0) return undefined;
  const pause = Math.max(retryAfterMillis, PAUSE.min * 2 ** Math.min(failedAttempts, 10));
  return Math.min(pause, PAUSE.max, left);
}
