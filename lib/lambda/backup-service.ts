/** What the functions share: one service, wired from the environment when the first event needs it. */
import type { Context } from 'aws-lambda';
import { backupCreator } from '../backup/create-backup.ts';
import type { Trigger } from '../backup/trigger.ts';
import type { BackupRequest } from '../backup/validate-request.js';
import { type Environment, readConfig } from '../config.ts';
import { ddsClient } from '../dds/client.ts';
import { keyStore } from './key-store.ts';
import { once } from './once.ts';

export interface BackupServiceOptions {
  readonly env?: Environment;
  readonly now?: () => Date;
  readonly random?: () => number;
  readonly wait?: (millis: number) => Promise<void>;
  /** How long one attempt at DDS may take. */
  readonly attemptMillis?: number;
  /** How long reading the secret may take; default: see `keyStore`. */
  readonly secretMillis?: number;
  /** How long before Lambda would end the invocation the answer leaves. */
  readonly reserveMillis?: number;
}

export type BackupService = ReturnType<typeof backupService>;

/**
 * Nothing is read before it is needed, so that a function without configuration starts, and says so in its answer.
 * Every call throws Failure `ConfigurationError` until the configuration is complete.
 */
export function backupService({ env = process.env, secretMillis, ...given }: BackupServiceOptions = {}) {
  const timing = {
    now: () => new Date(),
    random: Math.random,
    wait: (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis)),
    attemptMillis: 10_000,
    reserveMillis: 1_000,
    ...given,
  };
  const { now } = timing;
  const configured = once(() => readConfig(env));
  const keys = keyStore(configured, env, now, secretMillis);

  const creator = once(() =>
    backupCreator({ dds: ddsClient({ ...configured(), credentials: keys.credentials, now }), ...timing }),
  );

  return {
    now,
    /** Whether http callers need not be known: on a local server. */
    isOpen: env.HTTP_AUTH === 'none',
    webhookKeys: keys.webhookKeys,
    /** @param firstBegan when the trigger's first delivery began, where that is not this one */
    createBackup: async (
      request: BackupRequest,
      trigger: Trigger,
      context: Pick<Context, 'getRemainingTimeInMillis'>,
      signal?: AbortSignal,
      firstBegan?: Date,
    ) => creator()(request, trigger, { remainingMillis: () => context.getRemainingTimeInMillis(), signal, firstBegan }),
  };
}
