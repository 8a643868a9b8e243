/**
 * Virtual time for many processes that talk over real sockets: a run costs no waiting and repeats exactly.
 *
 * One process runs at a time. It runs until it waits for a timer: the end of a pause, an answer that is held back, the
 * time-out of an attempt that is not answered. Then the clock jumps to the next timer. While a process waits for a
 * socket, no other process runs and no time passes. So the order of events follows from virtual times alone, not from
 * the speed of this machine or its network.
 */
import { setImmediate } from 'node:timers/promises';

const STUCK_MILLIS = 30_000;

/** What is to run at a time; without `fire` it is revoked. */
export interface Timer {
  readonly at: number;
  readonly order: number;
  fire: (() => Promise<void>) | undefined;
}

interface Process<Label> {
  readonly label: Label;
  /** How often it has run on. */
  waits: number;
  timeout: Timer | undefined;
}

export type Scheduler<Label> = ReturnType<typeof scheduler<Label>>;

/** @param start milliseconds since 1970 */
export function scheduler<Label>(start: number) {
  /** The next one last. */
  const timers: Timer[] = [];
  const living = new Set<Process<Label>>();
  const failed = Promise.withResolvers<never>();
  let millis = start;
  let order = 0;
  let running: { readonly process: Process<Label>; readonly pause: () => void } | undefined;

  function at(time: number, fire: () => Promise<void>): Timer {
    const timer: Timer = { at: Math.max(time, millis), order: order++, fire };
    let low = 0;
    for (let high = timers.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((timers[middle]?.at ?? 0) > timer.at) low = middle + 1;
      else high = middle;
    }
    timers.splice(low, 0, timer);
    return timer;
  }

  const revoke = (timer: Timer | undefined): void => {
    if (timer) timer.fire = undefined;
  };

  /** Lets a process run until it waits again or ends. */
  async function resume(process: Process<Label>, act: () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    process.waits += 1;
    running = { process, pause: resolve };
    act();
    await promise;
  }

  /** The process that runs now, which is about to wait. */
  function pause(): Process<Label> {
    if (!running) throw new Error('A wait while no process runs.');
    const { process, pause } = running;
    running = undefined;
    pause();
    return process;
  }

  async function onward(): Promise<void> {
    for (let timer = timers.pop(); timer; timer = timers.pop()) {
      if (!timer.fire) continue;
      millis = timer.at;
      await timer.fire();
    }
  }

  return {
    now: () => new Date(millis),
    millis: () => millis,

    /** The label of the process that runs now; undefined between two of them. */
    running: (): Label | undefined => running?.process.label,

    /** Begins a process at a time. */
    begin: (time: number, label: Label, run: () => Promise<void>): void => {
      const process: Process<Label> = { label, waits: 0, timeout: undefined };
      living.add(process);
      const end = (): void => {
        revoke(process.timeout);
        living.delete(process);
        if (running?.process === process) pause();
      };
      at(time, () =>
        resume(process, () => {
          run().then(end, (error: unknown) => {
            failed.reject(error);
            end();
          });
        }),
      );
    },

    /** Pauses the process that runs now. */
    sleep: (duration: number): Promise<void> => {
      const process = pause();
      revoke(process.timeout);
      return new Promise((resolve) => {
        at(millis + duration, () => resume(process, resolve));
      });
    },

    /** As setTimeout, for what the process that runs now is about to try. A process has one time-out at a time. */
    timeout: (act: () => void, duration: number): Timer => {
      if (!running) throw new Error('A time-out while no process runs.');
      const { process } = running;
      revoke(process.timeout);
      process.timeout = at(millis + duration, () => resume(process, act));
      return process.timeout;
    },

    revoke,

    /** The process that runs now waits for an answer that never comes: its time-out ends the wait. */
    neverAnswer: (): void => void pause(),

    /** The process that runs now waits for an answer that comes later, also if it has given up by then. */
    answerLater: (duration: number): Promise<void> => {
      const process = pause();
      const wait = process.waits;
      return new Promise((resolve) => {
        at(millis + duration, async () => {
          if (process.waits === wait && living.has(process)) return resume(process, resolve);
          resolve();
          await setImmediate();
        });
      });
    },

    /**
     * Runs until no timer is left. A process that waits for ever has not ended then. Rejects when a process fails, or does
     * not go on in real time.
     */
    run: async (): Promise<void> => {
      let seen = -1;
      const watchdog = setInterval(() => {
        if (seen === order) failed.reject(new Error(`A delivery has not moved for ${STUCK_MILLIS / 1000} seconds.`));
        seen = order;
      }, STUCK_MILLIS);
      try {
        await Promise.race([onward(), failed.promise]);
      } finally {
        clearInterval(watchdog);
      }
    },
  };
}
