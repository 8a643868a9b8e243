import { DdsError } from '../dds/dds-error.ts';
import { Failure } from '../failure.ts';

const BACKOFF = { base: 200, cap: 5000 };
/** Less time than this is not worth another attempt. */
const SHORTEST_ATTEMPT = 250;

/** How long to go on asking. */
export interface Patience {
  /** Milliseconds until the answer must be there. */
  readonly timeLeft: () => number;
  /** Ends it, whatever time is left. */
  readonly signal: AbortSignal | undefined;
  readonly wait: (millis: number) => Promise<void>;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/**
 * Asks DDS again while it is throttled, faulty or silent and there is time, with full-jitter backoff on top of DDS's own
 * Retry-After; after an ambiguous refusal once.
 * @throws the last error
 */
export async function persist<T>(ask: () => Promise<T>, { timeLeft, signal, wait, random }: Patience): Promise<T> {
  let ambiguous = 0;
  for (let failures = 0; ; failures++) {
    try {
      return await ask();
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

const mayPass = (error: unknown): boolean =>
  error instanceof DdsError
    ? ['throttled', 'unavailable', 'ambiguous'].includes(error.meaning)
    : error instanceof Failure && error.isOfUpstream;

const isAmbiguous = (error: unknown): boolean => error instanceof DdsError && error.meaning === 'ambiguous';

const retryAfterMillis = (error: unknown): number => (error instanceof DdsError ? (error.retryAfter ?? 0) * 1000 : 0);
