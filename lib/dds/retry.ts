/** Retries of one request to DDS, within the time that is left. */
import { Failure } from '../errors.ts';
import type { Timing } from '../time.ts';
import { DdsError } from './errors.ts';

/** Milliseconds. */
const BACKOFF = { base: 200, cap: 5000 };
/** With less time left than this, another attempt is not worth its start. */
export const MIN_ATTEMPT_MILLIS = 250;
const MAX_AMBIGUOUS = 2;

/** How long a call may go on. */
export interface Budget {
  /** Milliseconds until the answer must be there. */
  readonly timeLeft: () => number;
  /** Milliseconds until the last moment at which an attempt may begin; missing where only `timeLeft` counts. */
  readonly lastAttemptIn?: () => number;
  /** Ends the call early. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of a request: its answer, or the last refusal. */
export type Attempted<T> =
  | { readonly answer: T; readonly attempts: number }
  | {
      readonly refusal: Failure;
      readonly attempts: number;
      /** An attempt may have had its effect although no answer says so. */
      readonly outcomeUnknown: boolean;
    };

/** Full-jitter backoff: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/ */
export const backoffMillis = (failures: number, random: () => number): number =>
  random() * Math.min(BACKOFF.cap, BACKOFF.base * 2 ** failures);

/**
 * Asks again while DDS is throttled, faulty or silent, after the pause that DDS asked for and a backoff, until the next
 * attempt would not fit into the budget. An ambiguous refusal is retried once.
 * @throws what is not a Failure
 */
export async function retry<T>(
  ask: () => Promise<T>,
  { timeLeft, lastAttemptIn = () => Number.POSITIVE_INFINITY, signal }: Budget,
  { wait, random }: Timing,
): Promise<Attempted<T>> {
  let outcomeUnknown = false;
  let ambiguous = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      return { answer: await ask(), attempts };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      outcomeUnknown ||= error.outcomeUnknown;
      const dds = error instanceof DdsError ? error : undefined;
      if (dds?.isAmbiguous) ambiguous += 1;
      const mayPass = error.retry === 'now' || (dds?.isAmbiguous && ambiguous < MAX_AMBIGUOUS);
      const pause = (dds?.retryAfterMillis ?? 0) + backoffMillis(attempts - 1, random);
      const isTooLate = pause + MIN_ATTEMPT_MILLIS > timeLeft() || pause > lastAttemptIn();
      if (!mayPass || signal?.aborted || isTooLate) return { refusal: error, attempts, outcomeUnknown };
      await wait(pause);
    }
  }
}
