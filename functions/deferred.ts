/**
 * What had to wait: an event that `event-bus` or `invoke` could not turn into a backup comes here, and is tried again
 * until DDS takes it, or never will, or the patience is at its end. A Lambda durable function: it does not run while it
 * waits.
 */
import type { DurableContext } from '@aws/durable-execution-sdk-js';
import middy from '@middy/core';
import { executionModeDurableContext } from '@middy/core/DurableContext';
import type { Environment } from '../lib/config.ts';
import { type Announce, eventBusAnnouncer } from '../lib/lambda/announce.ts';
import { type BackupService, backupService } from '../lib/lambda/backup-service.ts';
import { deferral } from '../lib/lambda/deferral.ts';

/** An early time-out would end the execution, not just this invocation. */
const durable = { executionMode: executionModeDurableContext, timeoutEarlyInMillis: 0 };

export const deferredHandler = (service: BackupService, announce: Announce, env: Environment = process.env) =>
  middy<unknown, unknown, Error, DurableContext>(durable).handler(deferral(service, announce, env));

// A refusal is to be announced in what is left of the invocation that made the last attempt.
export const handler = deferredHandler(backupService({ reserveMillis: 10_000 }), eventBusAnnouncer(process.env));
