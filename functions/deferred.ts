/**
 * Retries a request that `event-bus` or `invoke` failed at, or that `http` handed over, until DDS accepts it, or never
 * will, or its deadline has passed. A Lambda durable function: it does not run while it waits.
 */
import type { DurableContext } from '@aws/durable-execution-sdk-js';
import middy from '@middy/core';
import { executionModeDurableContext } from '@middy/core/DurableContext';
import { deferral } from '../lib/aws/deferred.ts';
import { awsService } from '../lib/aws/platform.ts';
import type { Service } from '../lib/service/service.ts';

/** An early time-out would end the execution, not just this invocation. */
const durable = { executionMode: executionModeDurableContext, timeoutEarlyInMillis: 0 };

export const deferredHandler = (service: Service) =>
  middy<unknown, unknown, Error, DurableContext>(durable).handler(deferral(service));

// The end of a request is published in what is left of the invocation that made the last attempt.
export const handler = deferredHandler(awsService({ reserveMillis: 10_000 }));
