/** The global timers in virtual time. */
import type { Scheduler, Timer } from './scheduler.ts';

type VirtualTime = Pick<Scheduler<unknown>, 'running' | 'timeout' | 'revoke'>;

/**
 * Replaces the global timers by those of `time` while `run` runs, so that attempts of ten seconds take virtual time only.
 * Timers that are set while no process runs are real. So are those of the durable execution SDK, which ends an invocation
 * a moment after its last operation: for it the moment is nothing.
 */
export async function withTimers(time: VirtualTime, run: () => Promise<void>): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis;

  const set = (act: () => void, millis: number): Timer | NodeJS.Timeout =>
    isOfSdk() ? setTimeout(act, millis > MOMENT_MILLIS ? millis : 0) : whenRunning(act, millis);
  const whenRunning = (act: () => void, millis: number): Timer | NodeJS.Timeout =>
    time.running() === undefined ? setTimeout(act, millis) : time.timeout(act, millis);
  const clear = (timer: Timer | NodeJS.Timeout | undefined): void => {
    if (timer && 'order' in timer) time.revoke(timer);
    else clearTimeout(timer);
  };

  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  try {
    await run();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

const MOMENT_MILLIS = 500;

/** Whether the SDK itself sets the timer, and not something that it called. */
function isOfSdk(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 3;
  const [, , , caller = ''] = new Error().stack?.split('\n') ?? [];
  Error.stackTraceLimit = stackTraceLimit;
  return caller.includes('durable-execution-sdk');
}
