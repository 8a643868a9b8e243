/** How long and how often a request is retried after its first delivery. */
import type { Retry } from '../errors.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts';
import type { Command } from './trigger.ts';

/** Of a refusal that may or may not be for the instance's state, so that a wrong request does not wait for a day. */
const MAX_AMBIGUOUS_MILLIS = HOUR;
const PAUSE = { min: MINUTE, max: 15 * MINUTE };
/** The last attempt begins so long before the deadline. */
const LAST_ATTEMPT = 30 * SECOND;

/**
 * The latest moment at which a backup may be submitted: the earliest of `not_after`, the maximum age of the request, and
 * a day more than that after the trigger. The backup of an older trigger may have been made and deleted since.
 */
export function deadlineOf({ notAfter, trigger }: Command, firstDelivery: Date, maxAgeMillis: number): Date {
  const ends = [firstDelivery.getTime() + maxAgeMillis];
  if (notAfter) ends.push(notAfter.getTime());
  if (trigger.time) ends.push(trigger.time.getTime() + maxAgeMillis + DAY);
  return new Date(Math.min(...ends));
}

/** What an attempt of a deferred request failed with. */
export interface FailedAttempt {
  readonly retry: Retry;
  readonly isAmbiguous: boolean;
  /** What DDS asked for. */
  readonly retryAfterMillis?: number | undefined;
}

/**
 * How many milliseconds to pause after a failed attempt: 1, 2, 4, 8 and then 15 minutes, or as long as DDS asks for, at
 * most 15 minutes. The last pause is shortened, so that its attempt begins 30 seconds before the deadline.
 * @param pausesBefore how many pauses there were already
 * @returns undefined where no further attempt is to be made
 */
export function pauseAfter(
  { retry, isAmbiguous, retryAfterMillis = 0 }: FailedAttempt,
  pausesBefore: number,
  { firstDelivery, deadline, now }: { readonly firstDelivery: Date; readonly deadline: Date; readonly now: Date },
): number | undefined {
  const ambiguousUntil = isAmbiguous ? firstDelivery.getTime() + MAX_AMBIGUOUS_MILLIS : Number.POSITIVE_INFINITY;
  const left = Math.min(deadline.getTime() - LAST_ATTEMPT, ambiguousUntil) - now.getTime();
  if (retry === 'never' || left <= 0) return undefined;
  const pause = Math.max(retryAfterMillis, PAUSE.min * 2 ** Math.min(pausesBefore, 10));
  return Math.min(pause, PAUSE.max, left);
}
