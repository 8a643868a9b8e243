/** What watch needs, wired from the environment when its first run needs it. */
import type { Context } from 'aws-lambda';
import type { Happening } from '../backup/happening.ts';
import { persist } from '../backup/persist.ts';
import { type Watched, watch } from '../backup/watch.ts';
import { type Environment, readConfig, readWatchConfig } from '../config.ts';
import { type DdsRequest, ddsCall } from '../dds/call.ts';
import { type Announce, type Announcement, eventBusAnnouncer } from './announce.ts';
import { keyStore } from './key-store.ts';
import { once } from './once.ts';

export interface WatchServiceOptions {
  readonly env?: Environment;
  readonly announce?: Announce;
  readonly now?: () => Date;
  readonly random?: () => number;
  readonly wait?: (millis: number) => Promise<void>;
  /** How long one attempt at DDS may take. */
  readonly attemptMillis?: number;
  /** How long before Lambda would end the invocation all must be read, so that it can be announced. */
  readonly reserveMillis?: number;
}

export type WatchService = ReturnType<typeof watchService>;

/**
 * Nothing is read before it is needed. Every run throws Failure `ConfigurationError` until the configuration is
 * complete.
 */
export function watchService({
  env = process.env,
  announce = eventBusAnnouncer(env),
  now = () => new Date(),
  random = Math.random,
  wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
  attemptMillis = 10_000,
  reserveMillis = 10_000,
}: WatchServiceOptions = {}) {
  const configured = once(() => readConfig(env));
  const keys = keyStore(configured, env, now);
  const ready = once(() => ({
    call: ddsCall({ ...configured(), credentials: keys.credentials, now }),
    config: readWatchConfig(env),
  }));

  return {
    now,

    /** See `watch`. Each request is repeated while that may help and there is time. */
    watch: async (
      time: Date,
      context: Pick<Context, 'getRemainingTimeInMillis'>,
      signal: AbortSignal,
    ): Promise<Watched> => {
      const { call, config } = ready();
      const timeLeft = () => context.getRemainingTimeInMillis() - reserveMillis;
      const limits = () => ({ timeoutMillis: Math.max(1, Math.min(attemptMillis, timeLeft())), signal });
      const ask = (request: DdsRequest) => persist(() => call(request, limits), { timeLeft, signal, wait, random });
      return watch(ask, time, config);
    },

    /** @throws Failure `AnnouncementFailed` unless the bus took them all */
    announce: (happenings: readonly Happening[]): Promise<void> => announce(happenings.flatMap(announcement)),
  };
}

const TYPES = {
  completed: 'DDS Backup Completed',
  failed: 'DDS Backup Failed',
  stuck: 'DDS Backup Stuck',
  // Whoever deleted it knows; and neither good news nor bad would be true.
  unknown: undefined,
} as const satisfies Record<Happening['kind'], Announcement['type'] | undefined>;

function announcement({ kind, time, detail }: Happening): Announcement[] {
  const type = TYPES[kind];
  return type === undefined ? [] : [{ type, time, detail: { ...detail } }];
}
