/** How long a deferred event is tried again, and how often. */
import type { Environment } from '../config.ts';
import { DdsError } from '../dds/dds-error.ts';
import { FAILURE_NAMES, Failure } from '../failure.ts';
import type { DestinationRecord } from './destination-record.ts';

/** Time does not cure these: the same event would end in the same way. */
const PERMANENT: readonly string[] = ['InvalidRequest', 'BackupNameTaken', 'DdsRejected', 'ConfigurationError'];

const DEFAULT_PATIENCE_SECONDS = 24 * 60 * 60;
/** Seconds. A backup takes minutes to hours, and its instance nothing else meanwhile. */
const PAUSE = { shortest: 60, longest: 15 * 60 };

/** Whether an error of this name ends the event, by whatever function it was thrown. */
export const isPermanent = (errorName: string): boolean => PERMANENT.includes(errorName);

/** Whether the function ended without a word of its own: a crash, Lambda's time-out, an error that nobody expected. */
export const isCrash = (errorName: string): boolean => !FAILURE_NAMES.some((name) => name === errorName);

/** The time-out of `event-bus` and `invoke`, twice: Lambda may have begun an invocation again. */
const LONGEST_INVOCATION_MILLIS = 2 * 60_000;

/**
 * When the failed invocation began, or earlier, where it leaves open whether its backup is there; else its end: what is
 * there from before is not its own.
 */
export function firstBegan({ error, endedAt }: Pick<DestinationRecord, 'error' | 'endedAt'>): Date {
  const isOpen = error && (isCrash(error.name) || /^Upstream|^DdsUnavailable$/.test(error.name));
  return isOpen ? new Date(endedAt.getTime() - LONGEST_INVOCATION_MILLIS) : endedAt;
}

/**
 * Seconds to wait after the given number of failed attempts: 1, 2, 4, 8 and then 15 minutes, more where DDS asks for it
 * in its Retry-After.
 */
export function pauseSeconds(failedAttempts: number, error?: unknown): number {
  const pause = Math.min(PAUSE.longest, PAUSE.shortest * 2 ** failedAttempts);
  return Math.max(pause, error instanceof DdsError ? (error.retryAfter ?? 0) : 0);
}

/**
 * How long an event is tried again after it failed first, in milliseconds: `DEFERRED_PATIENCE_SECONDS`, else 24 hours.
 * @throws Failure `ConfigurationError` when it is not a whole number of seconds
 */
export function readPatience(env: Environment): number {
  const seconds = Number(env.DEFERRED_PATIENCE_SECONDS || DEFAULT_PATIENCE_SECONDS);
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds * 1000;
  throw new Failure(
    'ConfigurationError',
    'The function is not configured: DEFERRED_PATIENCE_SECONDS must be a whole number of seconds.',
  );
}
