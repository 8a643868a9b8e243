/** The timers of what runs in virtual time. */
import type { Scheduler, Timer } from './scheduler.ts';

type VirtualTime = Pick<Scheduler<unknown>, 'running' | 'timeout' | 'revoke'>;

/**
 * Has `time` in the place of the global timers while `run` runs, so that attempts of ten seconds take virtual time only.
 * Timers that no process of it sets are real.
 */
export async function withTimers(time: VirtualTime, run: () => Promise<void>): Promise<void> {
  const { setTimeout, clearTimeout } = globalThis;

  const set = (act: () => void, millis: number): Timer | NodeJS.Timeout =>
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
